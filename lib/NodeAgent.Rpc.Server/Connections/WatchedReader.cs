using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NodeAgent.Rpc.Server.Connections;

/// <summary>
/// What a connection receives, with a say for <see cref="IReceiveWatch"/> each time that something arrives after a wait: it decides
/// when and on which thread the reader goes on, and a <see cref="FrameGuard"/> may read along. Allocates nothing for a read and changes threads for none by itself.
/// </summary>
internal sealed class WatchedReader : PipeReader, IValueTaskSource<ReadResult>
{
    private readonly PipeReader _inner;
    private readonly IReceiveWatch _watch;
    private readonly Action _onArrived;
    private ManualResetValueTaskSourceCore<ReadResult> _source;
    private ValueTaskAwaiter<ReadResult> _pending;
    private ReadOnlySequence<byte> _unread;

    internal WatchedReader(PipeReader inner, IReceiveWatch watch)
    {
        _inner = inner;
        _watch = watch;
        _onArrived = watch.OnArrived;
    }

#pragma warning disable CA2012 // Its result is taken once, in TakePending, after it said that it is there.
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> read = _inner.ReadAsync(cancellationToken);
        if (read.IsCompletedSuccessfully)
        {
            ReadResult result = read.Result;
            _unread = result.Buffer;
            return new ValueTask<ReadResult>(result);
        }

        _source.Reset();
        _pending = read.GetAwaiter();
        _pending.UnsafeOnCompleted(_onArrived);
        return new ValueTask<ReadResult>(this, _source.Version);
    }
#pragma warning restore CA2012

    public override bool TryRead(out ReadResult result)
    {
        bool read = _inner.TryRead(out result);
        _unread = result.Buffer;
        return read;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (Guard is { } guard && !guard.Pass(_unread.Slice(_unread.Start, consumed)))
        {
            Guard = null;
            _watch.OnFlood();
        }

        _unread = default;
        _inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => _inner.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _inner.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => _inner.CompleteAsync(exception);

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    /// <summary>Reads along over what is consumed; null: nobody does.</summary>
    internal FrameGuard? Guard { get; set; }

    /// <summary>Lets the reader go on with what arrived, on this thread. Once for each <see cref="IReceiveWatch.OnArrived"/>.</summary>
    internal void Deliver()
    {
        ReadResult result;
        try
        {
            result = TakePending();
        }
        catch (Exception e)
        {
            // The transport's failure is the reader's to judge.
            _source.SetException(e);
            return;
        }

        _unread = result.Buffer;
        _source.SetResult(result);
    }

    /// <summary>Instead of <see cref="Deliver"/>: the reader gets this failure and what arrived stays unread.</summary>
    internal void Fail(Exception failure)
    {
        try
        {
            ReadResult unread = TakePending();
            _inner.AdvanceTo(unread.Buffer.Start);
        }
        catch (Exception e)
        {
            // The connection broke meanwhile; that says more than why we gave it up.
            _source.SetException(e);
            return;
        }

        _source.SetException(failure);
    }

    private ReadResult TakePending()
    {
        ValueTaskAwaiter<ReadResult> pending = _pending;
        _pending = default;
        return pending.GetResult();
    }
}

/// <summary>Is told by <see cref="WatchedReader"/> that a wait is over, on the transport's thread.</summary>
internal interface IReceiveWatch
{
    /// <summary>Something arrived, or the connection ended. Answered, now or later, with Deliver or Fail.</summary>
    void OnArrived();

    /// <summary>The client sends more empty work than it may. On the reader's thread, once.</summary>
    void OnFlood();
}
