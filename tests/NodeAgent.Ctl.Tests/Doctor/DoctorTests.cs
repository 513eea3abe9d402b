using System.Net.Sockets;
using NodeAgent.Ctl.Doctor;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Doctor;

public sealed class DoctorTests
{
    [Fact]
    public async Task Doctor_WithoutAName_FailsThereAndSkipsTheRest()
    {
        Bench bench = new();
        bench.Probe.ResolveError = SocketError.HostNotFound;

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "agregator.lab", "-o", "csv"]));
        Assert.Equal(["configuration=ok", "identity=warn", "address=fail", "tcp=skip", "tls=skip", "accepted=skip", "health=skip", "clock=skip", "nodes=skip"], Outcomes(bench));
        Assert.Contains("no address for the host 'agregator.lab' (from --server)", bench.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(SocketError.ConnectionRefused, "connection refused by aggregator.lab:7443")]
    [InlineData(SocketError.TimedOut, "A firewall may drop the packets")]
    [InlineData(SocketError.HostUnreachable, "no route to aggregator.lab:7443")]
    public async Task Doctor_WithoutAConnection_SaysWhichKindAndWhatHelps(SocketError error, string expected)
    {
        Bench bench = new();
        bench.Probe.ConnectError = error;

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains("tcp=fail", Outcomes(bench));
        Assert.Contains(expected, bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_WithACertificateThatEndsSoon_Warns()
    {
        Bench bench = new();
        bench.Probe.Tls = bench.Probe.Tls with { NotAfter = bench.Time.GetUtcNow().AddDays(12) };

        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains("tls=warn", Outcomes(bench));
    }

    [Fact]
    public async Task Doctor_WithAnHttp1Proxy_FailsAtTls()
    {
        Bench bench = new();
        bench.Probe.Tls = bench.Probe.Tls with { Alpn = "" };

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains("tls=fail", Outcomes(bench));
    }

    [Fact]
    public async Task Doctor_WhenTheIdentityIsRefused_FailsAtAccepted()
    {
        Bench bench = new();
        bench.Fleet.Failure = new CtlException(ExitCode.Denied, "cannot read the status", "agent/gpu-01 may not call Query", "Use an identity with a higher role.");

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Equal(["accepted=fail", "health=skip", "clock=skip", "nodes=skip"], Outcomes(bench)[^4..]);
    }

    [Fact]
    public async Task Doctor_WhenTheServerIsStopping_FailsAtHealth()
    {
        Bench bench = new();
        bench.Fleet.Health = "NOT_SERVING";

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains("health=fail", Outcomes(bench));
    }

    [Fact]
    public async Task Doctor_OfAnAggregatorWhoseDiskFails_NamesTheCall()
    {
        Bench bench = new();
        bench.Fleet.Status = SampleFleet.Troubled();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains("storage=fail", Outcomes(bench));
        Assert.Contains("ENOSPC", bench.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(900, "clock=ok", (int)ExitCode.Ok)]
    [InlineData(-1_500, "clock=warn", (int)ExitCode.Ok)]
    [InlineData(60_000, "clock=fail", (int)ExitCode.Failure)]
    public async Task Doctor_WithAClockThatIsOff_JudgesByHowMuch(long offMs, string expected, int code)
    {
        Bench bench = new();
        bench.Fleet.Status.WallUnixMs = SampleFleet.Now + offMs;

        Assert.Equal((ExitCode)code, await bench.RunAsync(["doctor", "--server", "aggregator.lab", "-o", "csv"]));
        Assert.Contains(expected, Outcomes(bench));
    }

    [Fact]
    public async Task Doctor_WithABrokenConfiguration_SaysSoFirst()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--profile", "lab", "-o", "csv"]));
        Assert.Equal("configuration=fail", Outcomes(bench)[0]);
        Assert.All(Outcomes(bench)[1..], outcome => Assert.EndsWith("=skip", outcome, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Doctor_WithMissingIdentityFiles_StillTestsTheNetwork()
    {
        Bench bench = new();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["doctor", "--cert", "/nonexistent/me.crt", "--key", "/nonexistent/me.key", "-o", "csv"]));
        Assert.Equal(["identity=fail", "address=ok", "tcp=ok", "tls=skip"], Outcomes(bench)[1..5]);
    }

    private static string[] Outcomes(Bench bench) =>
        [.. bench.Output.TrimEnd('\n').Split('\n').Skip(1).Select(line => line.Split(',')).Select(fields => $"{fields[1]}={fields[0]}")];
}
