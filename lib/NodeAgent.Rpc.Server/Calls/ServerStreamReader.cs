using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Grpc.Core;
using Microsoft.Extensions.Primitives;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>The requests of a call, read from Kestrel's own buffers.</summary>
internal sealed class ServerStreamReader<T> : IRpcStreamReader<T>, ICallBuffers
    where T : class
{
    private readonly ServerCall _call;
    private readonly Marshaller<T> _marshaller;
    private readonly MessageDecoder _decoder;
    private readonly PipeReader _pipe;
    private readonly YieldCounter _yield;
    private T? _current;
    private int _reading;
    private bool _ended;

    internal ServerStreamReader(ServerCall call, Marshaller<T> marshaller, YieldCounter yield)
    {
        _call = call;
        _marshaller = marshaller;
        _pipe = call.Http.Request.BodyReader;
        _yield = yield;
        StringValues encoding = call.Http.Request.Headers[RpcHeaderNames.Encoding];
        _decoder = new MessageDecoder(call.Options.MaxReceiveMessageSize) { Encoding = encoding.Count > 0 ? encoding[0] : null };
    }

    public T Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ValueTask<bool> read = ReadAsync(cancellationToken);
        return read.IsCompletedSuccessfully ? Task.FromResult(read.Result) : read.AsTask();
    }

    public ValueTask<bool> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (Interlocked.Exchange(ref _reading, 1) != 0)
        {
            throw new InvalidOperationException("A read is pending; only one at a time.");
        }

        return ReadCoreAsync(cancellationToken);
    }

    /// <summary>The memory goes back after the handler, unless a task that it left behind still reads; later reads are refused.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _reading, 1) == 0)
        {
            _decoder.Release();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadCoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_yield.Due())
            {
                await Task.Yield();
            }

            while (!_ended)
            {
                ThrowIfInterrupted(cancellationToken);
                ReadResult result = await _pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
                if (result.IsCanceled)
                {
                    _pipe.AdvanceTo(result.Buffer.Start);
                    ThrowIfInterrupted(cancellationToken);
                    continue;
                }

                if (TryTake(result))
                {
                    return true;
                }
            }

            _current = null;
            return false;
        }
        catch (Exception e) when (e is not (RpcException or InvalidOperationException or OperationCanceledException))
        {
            throw ToCallFailure(e);
        }
        catch (ObjectDisposedException e)
        {
            // Is an InvalidOperationException; here it means that the connection is gone, not that the handler made a mistake.
            throw ToCallFailure(e);
        }
        finally
        {
            Volatile.Write(ref _reading, 0);
        }
    }

    private bool TryTake(in ReadResult result)
    {
        ReadOnlySequence<byte> unread = result.Buffer;
        SequencePosition consumed = unread.Start;
        SequencePosition examined = unread.End;
        try
        {
            if (_decoder.TryDecode(ref unread, _marshaller, out T message))
            {
                _current = message;
                consumed = examined = unread.Start;
                return true;
            }

            if (result.IsCompleted)
            {
                _ended = true;
                if (!unread.IsEmpty)
                {
                    throw MessageFrame.Truncated();
                }
            }

            return false;
        }
        finally
        {
            _pipe.AdvanceTo(consumed, examined);
        }
    }

    private void ThrowIfInterrupted(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_call.EndReason != EndReason.None)
        {
            throw _call.ToException();
        }
    }

    private RpcException ToCallFailure(Exception e)
    {
        // A reset may reach the reader before Kestrel announces the abort; the handler's token fires in either order.
        _call.ReportClientGone();
        return _call.EndReason != EndReason.None
            ? _call.ToException()
            : new RpcException(new Status(StatusCode.Cancelled, "The client's connection broke.", e));
    }
}
