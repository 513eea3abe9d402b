using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>What an agent says of itself at the start of every stream.</summary>
internal sealed record UplinkIdentity(string AgentVersion, string BootId);

/// <summary>Where streams are opened: one channel to one aggregator. A seam, so that simulation can be the network.</summary>
internal sealed record UplinkTransport(CallInvoker Invoker, string Peer, Metadata? Headers);

/// <summary>
/// Keeps one stream to the aggregator: connects, says hello, sends what the spool holds from the last acknowledgement on, frees
/// what is acknowledged, and after any failure starts again with full jitter. Owns no thread; waits cost nothing.
/// </summary>
internal sealed class UplinkClient(
    ISpool spool, UplinkTransport transport, UplinkIdentity identity, TimeProvider time, Random random, UplinkLog log)
{
    internal const uint Protocol = 1;

    /// <summary>An aggregator that accepts a stream but does not answer within this is as good as away.</summary>
    internal static readonly TimeSpan WelcomeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A link on which something sent stays unacknowledged for this long is dead. It takes the place of HTTP/2 pings on this side: frames
    /// go out every second anyway, and a ping timer would cost more than the frames do.
    /// </summary>
    internal static readonly TimeSpan ProgressTimeout = TimeSpan.FromSeconds(10);

    private const string Finished = "everything is sent";

    private static readonly TimeSpan FlushPoll = TimeSpan.FromMilliseconds(20);

    // How soon a change of a pause is noticed; it costs one timer while throttled, and pauses are in seconds.
    private static readonly TimeSpan ThrottlePoll = TimeSpan.FromMilliseconds(200);

    private readonly RecordSignal _readable = new();
    private readonly StreamSchemas _schemas = new(spool);
    private readonly Backoff _backoff = new(random);
    private readonly UplinkState _state = new();
    private CancellationTokenSource? _stream; // of the present stream, while it is connected
    private long _progressAt; // timestamp of the last acknowledgement, or of the last look when nothing was owed
    private ulong _sentSequence; // highest on the present stream
    private bool _isStalled;
    private volatile bool _isFinishing;
    private ulong _welcomedSequence = ulong.MaxValue; // by the aggregator, on the present stream

    /// <summary>Counters and the present condition, for metrics and the status line.</summary>
    internal UplinkState State => _state;

    /// <summary>Bytes allocated by the waiter that an append woke, on the appending thread: the network's, not the tick's.</summary>
    internal long AllocatedByWoken => _readable.AllocatedByWoken;

    /// <summary>Runs until cancelled.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        spool.OnReadable = _readable.Set;
        while (!stop.IsCancellationRequested)
        {
            string reason = await ServeOneStreamAsync(stop).ConfigureAwait(false);
            _state.IsConnected = false;
            if (stop.IsCancellationRequested || _isFinishing)
            {
                return;
            }

            TimeSpan delay = _backoff.NextDelay();
            log.Lost(transport.Peer, reason, delay);
            await WaitAsync(delay, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Ends a stream that no longer makes progress. Called at every tick; costs a few comparisons.</summary>
    internal void CheckProgress()
    {
        long now = time.GetTimestamp();
        if (!_state.IsConnected || _state.AcknowledgedSequence >= Volatile.Read(ref _sentSequence))
        {
            Volatile.Write(ref _progressAt, now);
        }
        else if (time.GetElapsedTime(Volatile.Read(ref _progressAt), now) >= ProgressTimeout && Interlocked.Exchange(ref _stream, null) is { } stream)
        {
            // Ending a call runs its cleanup; that is not the tick's work.
            _isStalled = true;
            ThreadPool.UnsafeQueueUserWorkItem(static ended => CancelIfAlive(ended), stream, preferLocal: false);
        }
    }

    /// <summary>
    /// An orderly end: sends what is left, closes our side of the stream, and waits for the last acknowledgement. Gives up after the
    /// limit. Nothing may be spooled afterwards.
    /// </summary>
    internal async Task FinishAsync(TimeSpan limit)
    {
        _isFinishing = true;
        _readable.Set();
        long start = time.GetTimestamp();
        while (_state.IsConnected && time.GetElapsedTime(start) < limit)
        {
            await Task.Delay(FlushPoll, time).ConfigureAwait(false);
        }
    }

    private static void CancelIfAlive(CancellationTokenSource stream)
    {
        try
        {
            stream.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream ended by itself in the meantime, which is all that was wanted.
            return;
        }
    }

    private async Task<string> ServeOneStreamAsync(CancellationToken stop)
    {
        using CancellationTokenSource streamEnd = CancellationTokenSource.CreateLinkedTokenSource(stop);
        try
        {
            CallOptions options = new CallOptions(transport.Headers).WithCancellationToken(streamEnd.Token);
            using AsyncDuplexStreamingCall<LinkRecord, LinkReply> call =
                transport.Invoker.AsyncDuplexStreamingCall(LinkMethod.Create(), host: null, options);
            Welcome? welcome = await GreetAsync(call, streamEnd).ConfigureAwait(false);
            if (welcome is null)
            {
                return $"no welcome within {WelcomeTimeout.TotalSeconds:0} s";
            }

            _isStalled = false;
            _sentSequence = 0;
            _progressAt = time.GetTimestamp();
            _state.IsConnected = true;
            _state.Connections++;
            _welcomedSequence = welcome.AcknowledgedSequence;
            Free(welcome.AcknowledgedSequence);
            log.Connected(transport.Peer, welcome.Node, welcome.AggregatorVersion, spool.NextSequence - 1 - Math.Min(spool.NextSequence - 1, welcome.AcknowledgedSequence));
            _stream = streamEnd;
            string reason = await ExchangeAsync(call, welcome, streamEnd).ConfigureAwait(false);
            return _isStalled ? $"no acknowledgement for {ProgressTimeout.TotalSeconds:0} s" : reason;
        }
        catch (RpcException e)
        {
            return $"{e.StatusCode}: {e.Status.Detail}";
        }
        catch (OperationCanceledException)
        {
            return "cancelled";
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or InvalidProtocolBufferException)
        {
            return $"{e.GetType().Name}: {e.Message}";
        }
    }

    private async Task<Welcome?> GreetAsync(AsyncDuplexStreamingCall<LinkRecord, LinkReply> call, CancellationTokenSource streamEnd)
    {
        LinkRecord hello = new();
        hello.Set(new AgentMessage
        {
            Hello = new Hello
            {
                Protocol = Protocol,
                AgentVersion = identity.AgentVersion,
                BootId = identity.BootId,
                SpoolEpoch = spool.Epoch,
                FirstHeldSequence = spool.FirstHeldSequence,
                DroppedRecords = spool.Counts.DroppedRecords,
                ThinnedRecords = spool.Counts.ThinnedRecords,
                Boot = spool.Boot,
                WallUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
            },
        }.ToByteArray());

        bool timedOut = false;
        using ITimer limit = time.CreateTimer(
            _ =>
            {
                timedOut = true;
                streamEnd.Cancel();
            },
            null, WelcomeTimeout, Timeout.InfiniteTimeSpan);
        try
        {
            await call.RequestStream.WriteAsync(hello).ConfigureAwait(false);
            if (!await call.ResponseStream.MoveNext(streamEnd.Token).ConfigureAwait(false))
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "the aggregator closed the stream before its welcome"));
            }
        }
        catch (Exception e) when (timedOut && e is RpcException or OperationCanceledException)
        {
            return null;
        }

        return call.ResponseStream.Current.Message is { BodyCase: AggregatorMessage.BodyOneofCase.Welcome, Welcome: var welcome }
            ? welcome
            : throw new RpcException(new Status(StatusCode.Internal, "the aggregator's first message was not a welcome"));
    }

    // Sends and receives side by side; the first to end ends the other, and its reason is the one that counts.
    private async Task<string> ExchangeAsync(
        AsyncDuplexStreamingCall<LinkRecord, LinkReply> call, Welcome welcome, CancellationTokenSource streamEnd)
    {
        Task<string> sending = SendAsync(call.RequestStream, spool.StartAfter(welcome.AcknowledgedSequence), streamEnd.Token);
        Task<string> receiving = ReceiveAsync(call.ResponseStream, streamEnd.Token);
        Task<string> first = await Task.WhenAny(sending, receiving).ConfigureAwait(false);

        // A failed write says only that the stream is over; the status that the server gave comes by the reading side.
        string reason = await first.ConfigureAwait(false);
        if (first == sending && !streamEnd.IsCancellationRequested)
        {
            TimeSpan patience = reason == Finished ? WelcomeTimeout : TimeSpan.FromSeconds(1);
            Task settled = await Task.WhenAny(receiving, Task.Delay(patience, time, streamEnd.Token)).ConfigureAwait(false);
            reason = settled == receiving ? await receiving.ConfigureAwait(false) : reason;
        }

        await streamEnd.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(sending, receiving).ConfigureAwait(false);
        return reason;
    }

    private async Task<string> SendAsync(IClientStreamWriter<LinkRecord> stream, ulong next, CancellationToken end)
    {
        LinkRecord record = new();
        LinkRecord schema = new();
        byte[] buffer = new byte[4096];
        _schemas.Clear();
        try
        {
            while (true)
            {
                await HoldWhileThrottledAsync(end).ConfigureAwait(false);
                if (!spool.TryRead(ref next, ref buffer, out int length))
                {
                    if (_isFinishing)
                    {
                        await stream.CompleteAsync().ConfigureAwait(false);
                        return Finished;
                    }

                    await _readable.WaitAsync(end).ConfigureAwait(false);
                    continue;
                }

                SchemaNeed need;
                while ((need = _schemas.NextMissing(next, buffer.AsSpan(0, length), out byte[]? needed)) == SchemaNeed.Send)
                {
                    schema.Set(needed!);
                    await stream.SendAsync(schema, CancellationToken.None).ConfigureAwait(false);
                }

                if (need == SchemaNeed.RecordIsGone || next < spool.FirstHeldSequence)
                {
                    // The spool overflowed past it meanwhile: it is counted as dropped, and its schemas may be gone.
                    continue;
                }

                record.Buffer = buffer;
                record.Length = length;
                await stream.SendAsync(record, CancellationToken.None).ConfigureAwait(false);
                _state.SentBytes += length;
                _state.SentRecords++;
                Volatile.Write(ref _sentSequence, next);
                next++;
            }
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or IOException or InvalidOperationException)
        {
            // This may be the tick's thread (RecordSignal); what follows the end of a stream is not its work.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return e is RpcException rpc ? $"{rpc.StatusCode}: {rpc.Status.Detail}" : e.Message;
        }
    }

    private async Task<string> ReceiveAsync(IAsyncStreamReader<LinkReply> stream, CancellationToken end)
    {
        try
        {
            while (await stream.NextAsync(end).ConfigureAwait(false))
            {
                if (stream.Current.Message is { } message)
                {
                    Obey(message);
                }
                else
                {
                    Free(stream.Current.Acknowledged);
                }
            }

            return "the aggregator closed the stream";
        }
        catch (RpcException e)
        {
            return $"{e.StatusCode}: {e.Status.Detail}";
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or InvalidOperationException or InvalidProtocolBufferException)
        {
            return e.Message;
        }
    }

    private void Obey(AggregatorMessage message)
    {
        switch (message.BodyCase)
        {
            case AggregatorMessage.BodyOneofCase.Throttle:
                TimeSpan pause = TimeSpan.FromMilliseconds(message.Throttle.RetryAfterMs);
                _state.ThrottledUntil = time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency);
                log.Throttled(transport.Peer, pause, message.Throttle.Reason);
                break;
            case AggregatorMessage.BodyOneofCase.Rejected:
                _state.RejectedRecords++;
                log.Rejected(transport.Peer, message.Rejected.Sequence, message.Rejected.Reason);
                break;
            default:
                // A newer aggregator may say things this agent does not know; they are not for it.
                _state.UnknownMessages++;
                break;
        }
    }

    private void Free(ulong acknowledged)
    {
        // Not the welcome but progress makes a stream a good one: where the same record breaks every stream, waits must grow.
        if (acknowledged > _welcomedSequence)
        {
            _backoff.Succeeded();
        }

        _state.AcknowledgedSequence = acknowledged;
        Volatile.Write(ref _progressAt, time.GetTimestamp());
        spool.Acknowledge(1, acknowledged);
    }

    private ValueTask HoldWhileThrottledAsync(CancellationToken end) =>
        time.GetTimestamp() >= _state.ThrottledUntil ? ValueTask.CompletedTask : new ValueTask(HoldAsync(end));

    // In short waits, because the aggregator may prolong the pause or lift it (retry_after_ms 0) while it lasts.
    private async Task HoldAsync(CancellationToken end)
    {
        while (time.GetTimestamp() < _state.ThrottledUntil)
        {
            await Task.Delay(ThrottlePoll, time, end).ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(TimeSpan delay, CancellationToken stop)
    {
        try
        {
            await Task.Delay(delay, time, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Stopping; the loop above sees the same token.
            return;
        }
    }
}
