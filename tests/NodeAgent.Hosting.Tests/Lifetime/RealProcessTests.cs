using System.Net.Sockets;
using System.Text;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Hosting.Tests.Lifetime;

/// <summary>Signals, exit codes and last words of a real process.</summary>
public sealed class RealProcessTests
{
    private const int SigHup = 1;
    private const int SigInt = 2;
    private const int SigTerm = 15;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30); // a start takes 0.2 s on an idle core; this is for a busy machine

    [Theory]
    [InlineData(SigTerm, "SIGTERM")]
    [InlineData(SigInt, "SIGINT")]
    public async Task ASignal_StopsInOrderWithZero(int signal, string name)
    {
        using RealProcess child = await Started("orderly");
        child.Signal(SigHup);
        await Line(child, "event=ReloadUnsupported");
        child.Signal(signal);
        Assert.True(await child.WaitForExitAsync(Limit));
        Assert.Equal(0, child.ExitCode);
        await Line(child, $"event=StopRequested id=1010 reason={name} stop_timeout=20s");
    }

    [Fact]
    public async Task ASecondSignal_EndsAHangingStopWithTheShellsCode()
    {
        using RealProcess child = await Started("hangs");
        child.Signal(SigTerm);
        await Line(child, "event=Hanging");
        child.Signal(SigTerm);
        Assert.True(await child.WaitForExitAsync(Limit));
        Assert.Equal(128 + SigTerm, child.ExitCode);
        await Line(child, "level=warn event=StopForced id=1011 signal=SIGTERM");
    }

    [Fact]
    public async Task TheStopTimeout_EndsAHangingStopWithItsOwnCode()
    {
        using RealProcess child = await Started("times-out");
        child.Signal(SigTerm);
        Assert.True(await child.WaitForExitAsync(Limit));
        Assert.Equal((int)ExitCode.StopTimedOut, child.ExitCode);
        await Line(child, "level=error event=StopTimedOut id=1012 stop_timeout=20s");
    }

    [Fact]
    public async Task AnUnhandledException_IsLoggedBeforeTheProcessDiesOfIt()
    {
        using RealProcess child = await Started("unhandled");
        Assert.True(await child.WaitForExitAsync(Limit));
        Assert.NotEqual(0, child.ExitCode);
        await Line(child, "level=critical event=UnhandledException id=1016 error=\"nobody catches this\" error_type=InvalidOperationException");
    }

    [Fact]
    public async Task TheServiceManager_HearsOfStartAndStop()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no unix datagram sockets");
        string name = $"nodeagent-child-{Environment.ProcessId}";
        using Socket manager = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        manager.Bind(new UnixDomainSocketEndPoint("\0" + name));
        using RealProcess child = await Started("orderly", new Dictionary<string, string> { ["NOTIFY_SOCKET"] = "@" + name });
        child.Signal(SigTerm);
        Assert.True(await child.WaitForExitAsync(Limit));

        Assert.Equal("READY=1\nSTATUS=child is ready", Receive(manager));
        Assert.Equal("STOPPING=1\nSTATUS=stopping: SIGTERM", Receive(manager));
    }

    private static async Task<RealProcess> Started(string mode, Dictionary<string, string>? environment = null)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill(2)");
        RealProcess child = RealProcess.Start(
            mode, typeof(RealProcessTests).Assembly.Location, [ChildProgram.Argument, mode], environment);
        await Line(child, "event=Ready");
        return child;
    }

    private static Task Line(RealProcess child, string part) =>
        child.WaitForLineAsync(line => line.Contains(part, StringComparison.Ordinal), Limit);

    private static string Receive(Socket manager)
    {
        byte[] buffer = new byte[4096];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }
}
