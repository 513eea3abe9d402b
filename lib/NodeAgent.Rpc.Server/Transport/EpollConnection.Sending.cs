using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using Microsoft.AspNetCore.Connections;

namespace NodeAgent.Rpc.Server.Transport;

/// <summary>From the pipe into the socket, on the thread that flushes; when the socket is full, on the loop's once it has room.</summary>
internal sealed partial class EpollConnection : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _room;
    private int _waitsForRoom;

    /// <summary>The socket may have room; or it is shut, which the next call on it will tell.</summary>
    internal void OnRoom()
    {
        if (Volatile.Read(ref _waitsForRoom) != 0 && Interlocked.Exchange(ref _waitsForRoom, 0) != 0)
        {
            _room.SetResult(true);
        }
    }

    void IValueTaskSource.GetResult(short token) => _room.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _room.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _room.OnCompleted(continuation, state, token, flags);

    private async Task SendAllAsync()
    {
        Exception? reason = null;
        Exception? unexpected = null;
        try
        {
            while (await SendNextAsync().ConfigureAwait(false))
            {
            }
        }
        catch (Exception e) when (e is ConnectionResetException or ObjectDisposedException)
        {
            reason = e; // the peer left, or it was shut here: the writer learns that nobody takes any more
        }
        catch (Exception e)
        {
            reason = unexpected = e;
        }

        Shut(reason ?? new ConnectionAbortedException("Everything was sent."), isAbrupt: false);
        await _output.Reader.CompleteAsync(unexpected).ConfigureAwait(false);
        _loop.Post(this);
    }

    // False: that was all.
    private async ValueTask<bool> SendNextAsync()
    {
        ReadResult result = await _output.Reader.ReadAsync().ConfigureAwait(false);
        if (result.IsCanceled)
        {
            return false;
        }

        ReadOnlySequence<byte> left = result.Buffer;
        while (!left.IsEmpty)
        {
            int sent = SocketCalls.Send(_handle, left);
            if (sent == SocketCalls.WouldBlock)
            {
                sent = await SendWhenThereIsRoomAsync(left).ConfigureAwait(false);
            }

            left = left.Slice(sent);
        }

        _output.Reader.AdvanceTo(result.Buffer.End);
        return !result.IsCompleted;
    }

    // Room that came between the try and the announcement of the wait is announced to nobody: hence the second try.
    private async ValueTask<int> SendWhenThereIsRoomAsync(ReadOnlySequence<byte> left)
    {
        while (true)
        {
            _room.Reset();
            ValueTask room = new(this, _room.Version);
            Interlocked.Exchange(ref _waitsForRoom, 1); // before the try, whatever the processor would prefer
            int sent = SocketCalls.Send(_handle, left);
            if (sent != SocketCalls.WouldBlock && Interlocked.Exchange(ref _waitsForRoom, 0) != 0)
            {
                return sent;
            }

            await room.ConfigureAwait(false);
            if (sent != SocketCalls.WouldBlock)
            {
                return sent;
            }
        }
    }
}
