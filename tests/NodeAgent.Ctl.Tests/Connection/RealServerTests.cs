using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;
using NodeAgent.Ctl.Tests.Harness;

namespace NodeAgent.Ctl.Tests.Connection;

/// <summary>nodectl against a server on loopback, over real HTTP/2.</summary>
public sealed class RealServerTests : IDisposable
{
    private readonly string _root = Path.Combine(Directory.CreateTempSubdirectory("nodectl-tls-").FullName, "lab");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_root)!, recursive: true);

    [Theory]
    [InlineData("nodes", "gpu-01")]
    [InlineData("node", "AMD EPYC", "gpu-01")]
    [InlineData("series", "node_load1{node=\"gpu-01\"}")]
    [InlineData("query", "41.5", "node_load1")]
    [InlineData("query", "09:10:00-09:20:00", "node_load1", "--range", "10m")]
    [InlineData("query", "41.5", "node_load1", "--top", "3")]
    [InlineData("events", "oom_kill")]
    [InlineData("status", "189,720,123")]
    [InlineData("top", "372.50", "--once")]
    public async Task Command_OverPlaintext_PrintsWhatTheServerSays(string command, string expected, params string[] more)
    {
        await using RealServer server = await RealServer.StartAsync();
        Bench bench = Real();

        ExitCode code = await bench.RunAsync([command, .. more, "--server", At(server), "--plaintext"]);

        Assert.Equal(("", ExitCode.Ok), (bench.Errors, code));
        Assert.Contains(expected, bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_InterruptedByCtrlC_HasPrintedEverySampleAndEndsWith130()
    {
        await using RealServer server = await RealServer.StartAsync();
        Bench bench = Real();
        using CancellationTokenSource interrupt = new();

        Task<ExitCode> watching = bench.RunAsync(["watch", "{node=\"gpu-01\"}", "--server", At(server), "--plaintext", "-o", "jsonl"], interrupt.Token);
        await server.Query.Hanging.Task;
        await bench.Out.ThirdLine;
        await interrupt.CancelAsync();

        Assert.Equal(ExitCode.Interrupted, await watching);
        Assert.Equal(3, bench.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Theory]
    [InlineData(StatusCode.NotFound, (int)ExitCode.NotFound)]
    [InlineData(StatusCode.PermissionDenied, (int)ExitCode.Denied)]
    [InlineData(StatusCode.Unauthenticated, (int)ExitCode.Denied)]
    [InlineData(StatusCode.InvalidArgument, (int)ExitCode.Usage)]
    [InlineData(StatusCode.Unavailable, (int)ExitCode.Unavailable)]
    [InlineData(StatusCode.ResourceExhausted, (int)ExitCode.Failure)]
    [InlineData(StatusCode.Unimplemented, (int)ExitCode.Failure)]
    [InlineData(StatusCode.Internal, (int)ExitCode.Failure)]
    public async Task Status_OfTheServer_BecomesAnExitCodeAndOneLineThatCarriesItsText(StatusCode status, int expected)
    {
        await using RealServer server = await RealServer.StartAsync();
        server.Query.Failure = new Status(status, "because of the moon");
        Bench bench = Real();

        ExitCode code = await bench.RunAsync(["nodes", "--server", At(server), "--plaintext"]);

        Assert.Equal((ExitCode)expected, code);
        Assert.Single(bench.Errors.TrimEnd('\n').Split('\n'));
        Assert.StartsWith("nodectl: cannot list nodes: ", bench.Errors, StringComparison.Ordinal);
        Assert.Contains("because of the moon", bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Server_ThatNeverAnswers_EndsWithTheDeadline()
    {
        await using RealServer server = await RealServer.StartAsync();
        server.Query.Failure = new Status(StatusCode.DeadlineExceeded, "");
        Bench bench = Real();

        ExitCode code = await bench.RunAsync(["status", "--server", At(server), "--plaintext", "--timeout", "200ms"]);

        Assert.Equal(ExitCode.Deadline, code);
        Assert.Equal($"nodectl: cannot read the status: no answer from {At(server)} within 200ms. Give more time with --timeout, or ask for less.\n", bench.Errors);
    }

    [Fact]
    public async Task Server_ThatIsNotThere_IsNamedWithTheAddressAndTheSource()
    {
        int port = FreePort();
        Bench bench = Real();

        ExitCode code = await bench.RunAsync(["nodes", "--server", $"127.0.0.1:{port}", "--plaintext"]);

        Assert.Equal(ExitCode.Unavailable, code);
        Assert.Equal($"nodectl: cannot list nodes: connection refused by 127.0.0.1:{port} (address from --server). Start the aggregator there, or name another with --server.\n", bench.Errors);
    }

    [Fact]
    public async Task Fleet_MadeByInit_ServesItsOperatorOverMutualTls()
    {
        await InitAsync();
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();
        bench.Variables["NODECTL_CONFIG"] = _root;

        ExitCode code = await bench.RunAsync(["nodes", "--server", $"localhost:{server.Port}"]);

        Assert.Equal(("", ExitCode.Ok), (bench.Errors, code));
        Assert.Contains("gpu-01", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OnAWorkingFleet_FindsEveryStepWell()
    {
        await InitAsync();
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();
        bench.Variables["NODECTL_CONFIG"] = _root;

        ExitCode code = await bench.RunAsync(["doctor", "--server", $"localhost:{server.Port}", "-o", "csv"]);

        Assert.Equal(ExitCode.Ok, code);
        string[] lines = bench.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(
            ["ok,configuration", "ok,identity", "ok,address", "ok,tcp", "ok,tls", "ok,accepted", "ok,health", "ok,clock", "warn,nodes"],
            lines.Skip(1).Select(line => string.Join(',', line.Split(',').Take(2))));
        Assert.Contains("operator 'ann' of fleet 'lab'", bench.Output, StringComparison.Ordinal);
        Assert.Contains("TLS 1.3", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_WithTheAuthorityOfAnotherFleet_FailsAtTlsAndSaysWhy()
    {
        await InitAsync();
        string other = _root + "-other";
        await Real().RunAsync(["fleet", "init", other, "--name", "other"]);
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();
        bench.Variables["NODECTL_CONFIG"] = _root;

        ExitCode code = await bench.RunAsync(["doctor", "--server", $"localhost:{server.Port}", "--ca", Path.Combine(other, "ca.crt"), "-o", "csv"]);

        Assert.Equal(ExitCode.Failure, code);
        string tls = bench.Output.Split('\n').Single(line => line.Contains(",tls,", StringComparison.Ordinal));
        Assert.StartsWith("fail,", tls, StringComparison.Ordinal);
        Assert.Contains("CN=aggregator", tls, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_WithTheAuthorityOfAnotherFleet_SaysThatTlsFailed()
    {
        await InitAsync();
        string other = _root + "-other";
        await Real().RunAsync(["fleet", "init", other, "--name", "other"]);
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();
        bench.Variables["NODECTL_CONFIG"] = _root;

        ExitCode code = await bench.RunAsync(["nodes", "--server", $"localhost:{server.Port}", "--ca", Path.Combine(other, "ca.crt")]);

        Assert.Equal(ExitCode.Unavailable, code);
        Assert.StartsWith($"nodectl: cannot list nodes: no TLS connection with localhost:{server.Port}", bench.Errors, StringComparison.Ordinal);
        Assert.Single(bench.Errors.TrimEnd('\n').Split('\n'));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_WithoutAnIdentity_IsRefusedInOneLine(bool doctor)
    {
        await InitAsync();
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();

        ExitCode code = await bench.RunAsync([doctor ? "doctor" : "nodes", "--server", $"localhost:{server.Port}", "--ca", Path.Combine(_root, "ca.crt")]);

        Assert.Equal(doctor ? ExitCode.Failure : ExitCode.Unavailable, code);
        if (!doctor) Assert.Single(bench.Errors.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task Plaintext_AgainstATlsServer_SuggestsTls()
    {
        await InitAsync();
        await using RealServer server = await RealServer.StartAsync(_root);
        Bench bench = Real();

        ExitCode code = await bench.RunAsync(["nodes", "--server", At(server), "--plaintext"]);

        Assert.Equal(ExitCode.Unavailable, code);
        Assert.Single(bench.Errors.TrimEnd('\n').Split('\n'));
    }

    private static Bench Real()
    {
        Bench bench = new() { Clock = TimeProvider.System, RealProbe = new NetworkProbe() };
        bench.Variables["USER"] = "ann";
        bench.Connect = settings => FleetChannel.Open(settings, TimeProvider.System);
        return bench;
    }

    private async Task InitAsync() => Assert.Equal(ExitCode.Ok, await Real().RunAsync(["fleet", "init", _root, "--name", "lab"]));

    private static string At(RealServer server) => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{server.Port}");

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
