using System.Net;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Tests.Configuration;

public sealed class AggregatorOptionsTests
{
    private static readonly string[] Tls = ["listen.ca_file=/a/ca.crt", "listen.certificate_file=/a/me.crt", "listen.key_file=/a/me.key"];

    [Fact]
    public void Defaults_AreThoseOfTheDocumentation()
    {
        AggregatorOptions options = Load(Tls).Options;
        Assert.Equal((new IPEndPoint(IPAddress.Loopback, 7443), null), (options.Listen.Address, options.Listen.Plaintext));
        Assert.Equal((TimeSpan.FromDays(7), TimeSpan.FromDays(90), TimeSpan.FromDays(730), TimeSpan.FromDays(4)),
            (options.Store.RawRetention, options.Store.MinuteRetention, options.Store.HourRetention, options.Store.LateWindow));
        Assert.Equal((null, null, 20_000, 100_000),
            (options.Store.Directory, options.Store.MaxBytes, options.Store.MaxSeriesPerNode, options.Store.MaxEvents));
        Assert.Equal(new Tsdb.Query.QueryLimits(), options.Query.Limits);
    }

    [Fact]
    public void Load_TlsOrPlaintextOrBoth_IsAccepted()
    {
        Assert.Empty(Load(Tls).Errors);
        Assert.Empty(Load("listen.plaintext=127.0.0.1:7480").Errors);
        Assert.Empty(Load([.. Tls, "listen.plaintext=[::1]:7480"]).Errors);
    }

    public static TheoryData<string, string> Wrong => new()
    {
        { "", "ca_file, certificate_file and key_file are all needed; `nodectl fleet init DIR` makes them" },
        { "listen.ca_file=/a listen.key_file=/b", "ca_file, certificate_file and key_file are all needed; `nodectl fleet init DIR` makes them" },
        { "listen.plaintext=192.0.2.1:7480", "192.0.2.1:7480 is not a loopback address; without TLS anybody on the network could be anybody" },
        { "listen.plaintext=0.0.0.0:7480", "0.0.0.0:7480 is not a loopback address; without TLS anybody on the network could be anybody" },
        { "listen.plaintext=127.0.0.1:7480 listen.certificate_file=/a listen.key_file=/b", "ca_file, certificate_file and key_file are all needed; `nodectl fleet init DIR` makes them" },
        { "listen.plaintext=127.0.0.1:7480 listen.ca_file=/a", "ca_file, certificate_file and key_file are all needed; `nodectl fleet init DIR` makes them" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Load_SettingsThatDoNotGoTogether_AreNamedWithTheReason(string settings, string message)
    {
        ConfigurationError error = Assert.Single(Load(settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("listen", error.Key, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store.raw_retention=47h")]
    [InlineData("query.max_memory=1KiB")]
    [InlineData("query.max_scanning=0")]
    [InlineData("store.max_bytes=1MiB")]
    [InlineData("store.max_series_per_node=99")]
    [InlineData("store.max_events=0")]
    [InlineData("listen.address=nowhere")]
    public void Load_OutOfBounds_IsRefused(string setting) =>
        Assert.Contains(setting[..setting.IndexOf('=')], Assert.Single(Load([.. Tls, setting]).Errors).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("store.late_window=156h", "raw_retention (7 d) must be at least a day longer than late_window (6.5 d)")]
    [InlineData("store.minute_retention=3d", "shorter than raw_retention")]
    [InlineData("store.hour_retention=30d", "shorter than minute_retention")]
    public void Load_RetentionsThatContradictEachOther_AreRefusedWithTheReason(string setting, string reason) =>
        Assert.Contains(Load([.. Tls, setting]).Errors, error => error.Message.Contains(reason, StringComparison.Ordinal));

    private static LoadedConfiguration<AggregatorOptions> Load(params string[] overrides) =>
        AggregatorOptions.Settings.Load(new ConfigurationSources { Overrides = overrides });
}
