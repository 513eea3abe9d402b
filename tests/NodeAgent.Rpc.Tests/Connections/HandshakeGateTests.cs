using NodeAgent.Rpc.Server.Connections;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class HandshakeGateTests
{
    [Fact]
    public void Enter_MoreThanMayCompute_WaitInOrderOfArrival()
    {
        List<IHandshakeStep> run = [];
        HandshakeGate gate = new(most: 2, run.Add);
        Step[] steps = [.. Enumerable.Range(0, 5).Select(_ => new Step())];
        Assert.Equal([true, true, false, false, false], steps.Select(gate.Enter));
        Assert.Equal(steps[..2], run);
        Assert.Equal((2, 3), (gate.Running, gate.Waiting));

        gate.Leave();
        Assert.Equal(steps[..3], run);
        gate.Leave();
        gate.Leave();
        Assert.Equal(steps, run);
        Assert.Equal((2, 0), (gate.Running, gate.Waiting));
    }

    [Fact]
    public void Leave_NobodyWaits_TheNextOneRunsAtOnce()
    {
        List<IHandshakeStep> run = [];
        HandshakeGate gate = new(most: 1, run.Add);
        for (int i = 0; i < 100; i++)
        {
            Assert.True(gate.Enter(new Step()));
            gate.Leave();
        }

        Assert.Equal(100, run.Count);
        Assert.Equal((0, 0), (gate.Running, gate.Waiting));
    }

    [Fact]
    public async Task Enter_FromManyThreads_NeverMoreAtOnceAndNoneForgotten()
    {
        int now = 0;
        int most = 0;
        int done = 0;
        TaskCompletionSource all = new(TaskCreationOptions.RunContinuationsAsynchronously);
        HandshakeGate? gate = null;
        gate = new HandshakeGate(most: 3, step => ThreadPool.UnsafeQueueUserWorkItem(
            _ =>
            {
                int running = Interlocked.Increment(ref now);
                InterlockedMax(ref most, running);
                Thread.SpinWait(200);
                Interlocked.Decrement(ref now);
                gate!.Leave();
                if (Interlocked.Increment(ref done) == 4000)
                {
                    all.SetResult();
                }
            },
            step));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < 1000; i++)
            {
                gate.Enter(new Step());
            }
        })));
        await all.Task.WaitAsync(RpcHost.Patience);
        Assert.InRange(most, 1, 3);
        Assert.Equal(0, gate.Waiting);
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while (value > (seen = Volatile.Read(ref target)) && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }

    private sealed class Step : IHandshakeStep
    {
        public void Execute() => throw new NotSupportedException("the gate's owner runs it");
    }
}
