using System.Threading.Tasks.Sources;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// An auto-reset event for one asynchronous waiter, without allocation: the tick sets it once a second for years.
/// A set without a waiter is remembered; several are one.
/// </summary>
internal sealed class RecordSignal : IValueTaskSource
{
    private readonly Lock _lock = new();

    // The waiter goes on where Set was called: on the tick's thread it copies one record into the connection's queue, which never
    // waits, and that saves waking a pool thread every second. A waiter that has more to do must first leave the thread itself.
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private bool _isSet;
    private bool _isWaiting;

    /// <summary>Bytes that waiters allocated on the thread that woke them.</summary>
    internal long AllocatedByWoken { get; private set; }

    internal void Set()
    {
        lock (_lock)
        {
            if (!_isWaiting)
            {
                _isSet = true;
                return;
            }

            _isWaiting = false;
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        _core.SetResult(true);
        AllocatedByWoken += GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Completes at the next <see cref="Set"/>, or at once where one is remembered. One waiter at a time.</summary>
    internal ValueTask WaitAsync(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (_isWaiting)
            {
                throw new InvalidOperationException("BUG: two readers wait for the same spool");
            }

            if (_isSet)
            {
                _isSet = false;
                return ValueTask.CompletedTask;
            }

            if (cancellation.IsCancellationRequested)
            {
                return ValueTask.FromCanceled(cancellation);
            }

            _core.Reset();
            _isWaiting = true;
        }

        _registration = cancellation.UnsafeRegister(static (self, token) => ((RecordSignal)self!).Cancel(token), this);
        return new ValueTask(this, _core.Version);
    }

    void IValueTaskSource.GetResult(short token)
    {
        _registration.Dispose();
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken cancellation)
    {
        lock (_lock)
        {
            if (!_isWaiting)
            {
                return;
            }

            _isWaiting = false;
        }

        _core.SetException(new OperationCanceledException(cancellation));
    }
}
