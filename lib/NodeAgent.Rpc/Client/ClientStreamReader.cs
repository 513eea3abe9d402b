using System.Buffers;
using System.Runtime.CompilerServices;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>
/// The responses of a call. Keeps one buffer that fits the largest recent frame; a message that is wholly in it costs no await.
/// </summary>
internal sealed class ClientStreamReader<T>(ClientCall call, Marshaller<T> marshaller) : IRpcStreamReader<T>
    where T : class
{
    // Acknowledgements are a few bytes; larger frames grow it once.
    private const int FirstBuffer = 1024;
    private const int KeepAtMost = 64 * 1024;

    private readonly MessageDecoder _decoder = new(call.Limits.MaxReceiveMessageSize);

    // Never from a pool: Dispose may come while HttpClient is still filling it, and another call must not find these bytes in its own
    // buffer.
    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private Stream? _body;
    private T? _current;
    private int _reading;

    public T Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ValueTask<bool> read = ReadAsync(cancellationToken);
        if (read.IsCompletedSuccessfully)
        {
            return Task.FromResult(read.Result);
        }

        return read.AsTask();
    }

    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("A read is pending; only one at a time.");
        }

        return ReadCoreAsync(cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadCoreAsync(CancellationToken cancellationToken)
    {
        CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static state => ((ClientCall)state!).Cancel("The read was cancelled by the caller."), call);
        try
        {
            while (true)
            {
                if (TryTakeMessage())
                {
                    return true;
                }

                if (!await FillAsync().ConfigureAwait(false))
                {
                    return EndOfStream();
                }
            }
        }
        catch (RpcException e)
        {
            call.End(e.Status, e.Trailers);
            throw call.ToException();
        }
        catch (Exception e)
        {
            call.EndFromFailure(e);
            throw call.ToException();
        }
        finally
        {
            registration.Unregister();
            Volatile.Write(ref _reading, 0);
        }
    }

    private bool TryTakeMessage()
    {
        if (call.HasEnded)
        {
            // Messages that arrived before the call was cancelled are not delivered: the caller wanted no more.
            ThrowUnlessOk();
        }

        if (_start == _end)
        {
            return false;
        }

        ReadOnlySequence<byte> unread = new(_buffer, _start, _end - _start);
        if (!_decoder.TryDecode(ref unread, marshaller, out T message))
        {
            return false;
        }

        _current = message;
        _start = _end - (int)unread.Length;
        return true;
    }

    private bool EndOfStream()
    {
        _current = null;
        if (_start != _end)
        {
            throw MessageFrame.Truncated();
        }

        if (_body is not null)
        {
            call.EndFromTrailers();
        }

        ThrowUnlessOk();
        return false;
    }

    private void ThrowUnlessOk()
    {
        if (call.GetStatus().StatusCode != StatusCode.OK)
        {
            throw call.ToException();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> FillAsync()
    {
        if (_body is null)
        {
            _body = await call.ResponseBody.ConfigureAwait(false);
            _decoder.Encoding = call.ResponseEncoding;
            if (_body is null)
            {
                return false;
            }
        }

        if (call.HasEnded)
        {
            return false;
        }

        MakeRoom();
        int read = await _body.ReadAsync(_buffer.AsMemory(_end), call.AbortToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    private void MakeRoom()
    {
        int unread = _end - _start;
        int needed = Math.Max(_decoder.FrameLength, unread + 1);
        bool shrink = unread == 0 && _buffer.Length > KeepAtMost && needed < KeepAtMost;
        if (needed > _buffer.Length || shrink)
        {
            // Grown by doubling and by what has arrived, not by what the prefix claims: 4 MiB announced and never sent costs nothing.
            int size = Math.Min(needed, Math.Max(FirstBuffer, Math.Max(2 * unread, 4 * FirstBuffer)));
            byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(size, unread + FirstBuffer));
            _buffer.AsSpan(_start, unread).CopyTo(larger);
            _buffer = larger;
            _end = unread;
            _start = 0;
        }
        else if (_start > 0)
        {
            _buffer.AsSpan(_start, unread).CopyTo(_buffer);
            _end = unread;
            _start = 0;
        }
    }
}
