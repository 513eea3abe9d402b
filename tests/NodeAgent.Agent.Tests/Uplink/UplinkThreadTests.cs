using NodeAgent.Agent.Uplink;

namespace NodeAgent.Agent.Tests.Uplink;

public sealed class UplinkThreadTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly UplinkBench _bench = new();
    private readonly StubbornDialer _dialer = new();
    private readonly UplinkThread _thread;

    public UplinkThreadTests() =>
        _thread = new UplinkThread(new UplinkClient(_bench.Spool, _dialer, _bench.Context, new BacklogPace(1, _bench.Time)), _dialer);

    public void Dispose()
    {
        _dialer.Return(null);
        _thread.Dispose();
        _bench.Dispose();
    }

    [Fact]
    public void Stop_WhileItWaitsToDialAgain_EndsAtOnceAndGivesUpWhatItOwned()
    {
        _dialer.Return(null);
        _thread.Start();
        Assert.True(_dialer.Waits.Wait(Patience));

        long start = TimeProvider.System.GetTimestamp();
        Assert.True(_thread.Stop(Patience));
        Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience / 2, "it waited for something after its end");
        Assert.False(_dialer.IsDisposed);
        _thread.Dispose();
        Assert.True(_dialer.IsDisposed);
    }

    [Fact]
    public void Dispose_NeverStarted_GivesUpWhatItOwned()
    {
        _thread.Dispose();
        Assert.True(_dialer.IsDisposed);
    }

    [Fact]
    public void Stop_StuckInACall_LeavesItWhatItUsesUntilItComesBack()
    {
        _thread.Start();
        Assert.True(_dialer.Dials.Wait(Patience));
        Assert.False(_thread.Stop(TimeSpan.Zero));
        _thread.Dispose();
        Assert.False(_dialer.IsDisposed);

        // When the call returns after all, nothing is said on its connection and no spool is read.
        FakeLink late = new();
        _dialer.Return(late);
        Assert.True(_thread.Stop(Patience));
        Assert.Empty(late.Streams);
        Assert.True(late.IsDisposed);
        _thread.Dispose();
        Assert.True(_dialer.IsDisposed);
    }

    /// <summary>A dial returns when it is let, whatever else is asked of it: a resolver or a socket that hangs in the kernel.</summary>
    private sealed class StubbornDialer : ILinkDialer, IDisposable
    {
        private readonly ManualResetEventSlim _returns = new();
        private readonly SemaphoreSlim _wakes = new(0);
        private ILink? _link;

        internal ManualResetEventSlim Dials { get; } = new();

        internal ManualResetEventSlim Waits { get; } = new();

        internal bool IsDisposed { get; private set; }

        public string Peer => "agg:1";

        public ILink? TryDial(CancellationToken stop, out string problem)
        {
            Dials.Set();
            _returns.Wait(CancellationToken.None);
            problem = _link is null ? "refused" : "";
            return _link;
        }

        public void Wait(TimeSpan atMost)
        {
            Waits.Set();
            _wakes.Wait(CancellationToken.None);
        }

        public void Wake() => _wakes.Release();

        public void Dispose() => IsDisposed = true;

        internal void Return(ILink? link)
        {
            _link = link;
            _returns.Set();
        }
    }
}
