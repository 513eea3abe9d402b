using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Transport;

namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>Both forms: the kernel's event, and the socket that stands in for it where there is none.</summary>
[Collection(BlocksItsThread.Name)]
public sealed class WakeHandleTests
{
    public static TheoryData<bool> Forms => OperatingSystem.IsLinux() ? [false, true] : [true];

    [Theory]
    [MemberData(nameof(Forms))]
    public void Wake_BeforeTheWait_IsRememberedOnce(bool portable)
    {
        using WakeHandle wake = new(portable);
        wake.Wake();
        wake.Wake();
        Assert.True(wake.Wait(RpcHost.Patience));
        Assert.False(wake.Wait(TimeSpan.Zero));
        wake.Wake();
        Assert.True(wake.Wait(RpcHost.Patience));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Wake_FromManyThreads_LosesNoNews(bool portable)
    {
        const int Each = 20_000;
        using WakeHandle wake = new(portable);
        int produced = 0;
        Task[] producers = [.. Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                Interlocked.Increment(ref produced);
                wake.Wake();
            }
        }))];

        // A lost wake would leave the last news unseen, and this wait without an end.
        while (Volatile.Read(ref produced) < 2 * Each)
        {
            Assert.True(wake.Wait(RpcHost.Patience), "a wake was lost");
        }

        await Task.WhenAll(producers);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Wait_WithoutEnd_EndsWithTheWakeOnly(bool portable)
    {
        using WakeHandle wake = new(portable);
        Task<bool> waiting = Task.Run(() => wake.Wait(Timeout.InfiniteTimeSpan));
        wake.Wake();
        Assert.True(await waiting.WaitAsync(RpcHost.Patience));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Wake_InTheMiddleOfAWait_EndsIt(bool portable)
    {
        using WakeHandle wake = new(portable);
        using ScriptedServer server = new();
        using BlockingConnection connection =
            BlockingConnection.TryConnect(new Uri(server.Address), null, wake, CancellationToken.None, out _)!;
        Task waker = Task.Run(wake.Wake);
        long start = TimeProvider.System.GetTimestamp();
        Assert.True(connection.Wait(TimeSpan.FromSeconds(4)));
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0, 3.9);
        await waker;
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Wait_SocketReadyAndNot_IsToldApart(bool portable)
    {
        using WakeHandle wake = new(portable);
        using ScriptedServer server = new();
        using System.Net.Sockets.Socket socket = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        socket.Connect("127.0.0.1", new Uri(server.Address).Port);
        PollTarget[] targets = [new PollTarget(socket)];
        Assert.False(SocketPoll.Wait(targets, wake, TimeSpan.Zero));
        Assert.False(targets[0].CanRead || targets[0].CanWrite);
        targets[0].WantsWrite = true;
        SocketPoll.Wait(targets, wake, RpcHost.Patience);
        Assert.True(targets[0] is { CanRead: false, CanWrite: true });
        server.Say([1]);
        targets[0].WantsWrite = false;
        SocketPoll.Wait(targets, wake, RpcHost.Patience);
        Assert.True(targets[0] is { CanRead: true, CanWrite: false });
    }
}
