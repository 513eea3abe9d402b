using NodeAgent.Agent.Configuration;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Sampling.Cpu;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Tests.Configuration;

public sealed class AgentOptionsTests
{
    private static readonly string[] Tls = ["uplink.ca_file=/a/ca.crt", "uplink.certificate_file=/a/me.crt", "uplink.key_file=/a/me.key"];

    [Fact]
    public void Defaults_AreThoseOfTheDocumentation()
    {
        AgentOptions options = Load(Tls).Options;
        Assert.Equal(new Uri("https://127.0.0.1:7443"), options.Uplink.Aggregator);
        Assert.Null(options.Uplink.PlaintextNode);
        Assert.Null(options.Uplink.ServerName);
        Assert.Equal(8L << 20, options.Spool.Memory);
        Assert.Equal((CpuDetail.Automatic, 128, "/proc", "/sys", "/etc"),
            (options.Sampling.CpuDetail, options.Sampling.MaxCgroups, options.Sampling.ProcRoot, options.Sampling.SysRoot, options.Sampling.EtcRoot));
        Assert.Equal(
            SamplerCatalog.Current.Select(entry => (entry.Name, entry.IsEnabledByDefault, entry.DefaultInterval)),
            options.Sampling.Samplers.Select(pair => (pair.Key, pair.Value.Enabled, pair.Value.Interval)));
        Assert.NotEmpty(options.Sampling.Samplers);
    }

    [Fact]
    public void Load_Tls_IsAccepted() => Assert.Empty(Errors(Tls));

    [Fact]
    public void Load_PlaintextOnThisMachine_IsAccepted() =>
        Assert.Empty(Errors("uplink.aggregator=http://127.0.0.1:7480", "uplink.plaintext_node=n1"));

    public static TheoryData<string, string> Wrong => new()
    {
        { "uplink.aggregator=http://127.0.0.1:7480", "plaintext_node goes with an http address and only with it" },
        { "uplink.plaintext_node=n1 uplink.ca_file=/c uplink.certificate_file=/d uplink.key_file=/e", "plaintext_node goes with an http address and only with it" },
        { "uplink.aggregator=http://agg.example:7480 uplink.plaintext_node=n1", "http://agg.example:7480/ is not on this machine; telemetry leaves a machine only through https" },
        { "uplink.ca_file=/c uplink.key_file=/e", "ca_file, certificate_file and key_file go together; without any of them this host is enrolled: `nodeagent enrol`" },
        { "uplink.certificate_file=/c", "ca_file, certificate_file and key_file go together; without any of them this host is enrolled: `nodeagent enrol`" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Load_SettingsThatDoNotGoTogether_AreNamedWithTheReason(string settings, string message)
    {
        ConfigurationError error = Assert.Single(Load(settings.Split(' ')).Errors);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("uplink", error.Key, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("spool.memory=255KiB")]
    [InlineData("spool.max_bytes=1MiB")]
    [InlineData("sampling.max_cgroups=0")]
    [InlineData("sampling.proc_root=proc")]
    [InlineData("sampling.samplers.nothing.enabled=true")]
    [InlineData("sampling.samplers.cpu.interval=1us")]
    [InlineData("uplink.aggregator=ftp://x")]
    public void Load_OutOfBounds_IsRefused(string setting) =>
        Assert.Contains(setting[..setting.IndexOf('=')], Assert.Single(Errors([.. Tls, setting])), StringComparison.Ordinal);

    [Fact]
    public void Load_SeveralMistakes_AreAllReported() =>
        Assert.Equal(3, Errors("spool.memory=1", "sampling.max_cgroups=0", "uplink.ca_file=/c").Length);

    [Fact]
    public void Load_NoFilesAtAll_IsAHostThatIsEnrolled() => Assert.Empty(Errors("uplink.aggregator=https://agg.example:7443"));

    private static string[] Errors(params string[] overrides) => [.. Load(overrides).Errors.Select(error => error.ToString())];

    private static LoadedConfiguration<AgentOptions> Load(params string[] overrides) =>
        AgentOptions.Settings.Load(new ConfigurationSources { Overrides = overrides });
}
