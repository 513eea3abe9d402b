using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool.Durable;

public sealed class SpoolThreadTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly SpoolBench _bench = new SpoolBench().Open();
    private readonly ManualResetEventSlim _diskAnswers = new(initialState: true);
    private readonly ManualResetEventSlim _isInDisk = new();
    private readonly SpoolThread _thread;
    private volatile int _syncedBy;

    public SpoolThreadTests()
    {
        _bench.Disk.BeforeSync = () =>
        {
            _syncedBy = Environment.CurrentManagedThreadId;
            _isInDisk.Set();
            _diskAnswers.Wait(CancellationToken.None);
        };
        _thread = new SpoolThread(_bench.Spool);

        // Behind this its thread has been round once and rests.
        Append();
        _thread.Turn(mayWait: false);
        WaitUntilDurable();
        _isInDisk.Reset();
    }

    public void Dispose()
    {
        _diskAnswers.Set();
        _thread.Dispose();
        _bench.Dispose();
        _diskAnswers.Dispose();
        _isInDisk.Dispose();
    }

    [Fact]
    public void Turn_HealthyDisk_SyncsOnTheCallingThread()
    {
        for (int i = 0; i < 3; i++)
        {
            Append();
            _thread.Turn(mayWait: true);
            Assert.Equal(_bench.Spool.NextSequence - 1, _bench.Spool.DurableThrough);
            Assert.Equal(Environment.CurrentManagedThreadId, _syncedBy);
        }
    }

    [Fact]
    public void Turn_ThatMayNotWait_IsLeftToTheThread()
    {
        Append();
        _thread.Turn(mayWait: false);
        WaitUntilDurable();
        Assert.NotEqual(Environment.CurrentManagedThreadId, _syncedBy);
    }

    [Fact]
    public void Turn_WhileAnotherIsInTheDisk_DoesNotWaitAndLeavesNothingBehind()
    {
        _diskAnswers.Reset();
        Append();
        Thread other = new(() => _thread.Turn(mayWait: true));
        other.Start();
        Assert.True(_isInDisk.Wait(Patience));
        ulong before = _bench.Spool.DurableThrough;

        // Both return although the disk does not answer.
        Append();
        _thread.Turn(mayWait: true);
        Append();
        _thread.Turn(mayWait: false);
        Assert.Equal(before, _bench.Spool.DurableThrough);

        _diskAnswers.Set();
        Assert.True(other.Join(Patience));
        _bench.Time.Advance(TimeSpan.FromSeconds(1)); // the next sync is not due before
        WaitUntilDurable();
    }

    [Fact]
    public void Turn_DiskFails_IsTriedAgainByTheThread()
    {
        _bench.Disk.CapacityBytes = _bench.Disk.UsedBytes;
        Append();
        _thread.Turn(mayWait: true);
        Assert.True(_bench.Spool.DurableThrough < _bench.Spool.NextSequence - 1);

        _bench.Disk.CapacityBytes = long.MaxValue;
        _bench.Time.Advance(TimeSpan.FromSeconds(10));
        WaitUntilDurable();
        Assert.NotEqual(Environment.CurrentManagedThreadId, _syncedBy);
    }

    [Fact]
    public void Stop_WhileATurnIsInTheDisk_ClosesNothingUnderIt()
    {
        _diskAnswers.Reset();
        Append();
        Thread other = new(() => _thread.Turn(mayWait: true));
        other.Start();
        Assert.True(_isInDisk.Wait(Patience));
        Assert.False(_thread.Stop(TimeSpan.Zero));

        _diskAnswers.Set();
        Assert.True(other.Join(Patience));
        Assert.True(_thread.Stop(Patience));
        Assert.Equal(_bench.Spool.NextSequence - 1, _bench.Spool.DurableThrough);
    }

    private void Append() => _bench.Tick(pump: false);

    private void WaitUntilDurable() =>
        Assert.True(SpinWait.SpinUntil(() => _bench.Spool.DurableThrough == _bench.Spool.NextSequence - 1, Patience), "it was never synced");
}
