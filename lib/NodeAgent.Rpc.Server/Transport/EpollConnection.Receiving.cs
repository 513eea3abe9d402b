using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>From the socket into the pipe. All of it runs on the loop's thread, but for what only posts.</summary>
internal sealed partial class EpollConnection
{
    // 64 KiB: then others have their turn.
    private const int MostBlocksAtOnce = 16;

    private readonly Action _onDrained;
    private readonly TaskCompletionSource _receiving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closedFired = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ValueTaskAwaiter<FlushResult> _flush;
    private bool _isReadable; // the socket has said so, and has not been found empty since
    private bool _mayHaveEnded; // an end or an error waits behind the bytes
    private bool _isFull; // the reader has not taken enough to go on
    private bool _hasDrained; // it has now; set by the reader, before it posts
    private int _hasEnded;

    /// <summary>The pace's.</summary>
    internal int LastWindow;

    /// <summary>The socket has something.</summary>
    internal void OnReadable(bool hasEnded)
    {
        _isReadable = true;
        _mayHaveEnded |= hasEnded;
    }

    /// <summary>Somebody wants a look: the reader has taken enough, or the connection is shut.</summary>
    internal void OnPosted()
    {
        if (IsShut(out Exception? reason))
        {
            EndReceiving(reason);
        }
        else if (_isFull && Volatile.Read(ref _hasDrained))
        {
            _hasDrained = false;
            _isFull = false;
            TakeFlush(_flush.GetResult());
        }
    }

    /// <summary>Takes what is there; true: there is more, and others should have their turn first.</summary>
    internal bool Receive()
    {
        if (!_isReadable || _isFull || _hasEnded != 0)
        {
            return false;
        }

        try
        {
            bool isEnd = ReceiveSome(out bool hasReceived);
            if (hasReceived)
            {
                Flush();
            }

            if (isEnd && !_isFull)
            {
                EndReceiving(failure: null);
            }
        }
        catch (Exception e)
        {
            // Whatever it is, it is this connection's: the thread has others, and the reader of this one is told.
            EndReceiving(IsShut(out Exception? reason) ? reason : e);
        }

        return _isReadable && !_isFull && _hasEnded == 0;
    }

    // True: the peer sends no more. A read that fills less than its block has emptied the socket; what comes later is a new event.
    private bool ReceiveSome(out bool hasReceived)
    {
        hasReceived = false;
        for (int blocks = 0; blocks < MostBlocksAtOnce; blocks++)
        {
            Memory<byte> room = _input.Writer.GetMemory();
            int received = SocketCalls.Receive(_handle, room.Span);
            if (received == 0)
            {
                return true;
            }

            if (received == SocketCalls.WouldBlock)
            {
                _isReadable = false;
                return false;
            }

            hasReceived = true;
            _input.Writer.Advance(received);
            if (received < room.Length && !_mayHaveEnded)
            {
                _isReadable = false;
                return false;
            }
        }

        return false;
    }

#pragma warning disable CA2012 // Its result is taken once, here or in OnPosted.
    private void Flush()
    {
        ValueTask<FlushResult> flush = _input.Writer.FlushAsync();
        if (flush.IsCompleted)
        {
            TakeFlush(flush.Result);
            return;
        }

        _isFull = true;
        _flush = flush.GetAwaiter();
        _flush.UnsafeOnCompleted(_onDrained);
    }
#pragma warning restore CA2012

    private void TakeFlush(FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            EndReceiving(failure: null); // nobody reads any more
        }
    }

    // On the reader's thread.
    private void OnDrained()
    {
        Volatile.Write(ref _hasDrained, true);
        _loop.Post(this);
    }

    private void EndReceiving(Exception? failure)
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) != 0)
        {
            return;
        }

        _input.Writer.Complete(failure);
        _receiving.TrySetResult();

        // Elsewhere: whoever listens may do anything, and this thread has other connections.
        ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.FireClosed(), this, preferLocal: false);
    }

    private void FireClosed()
    {
        try
        {
            _closed.Cancel();
        }
        finally
        {
            _closedFired.TrySetResult();
        }
    }
}
