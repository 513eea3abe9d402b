using System.Net.Sockets;
using System.Threading.Channels;

namespace NodeAgent.Testing.Network;

/// <summary>How one direction of a proxied connection came to its end.</summary>
internal enum PipeEnd
{
    /// <summary>The sender finished, or the fault said so; the other direction may go on.</summary>
    Finished,

    /// <summary>Both sides are to get RST: on purpose, or because one of them broke.</summary>
    Broken,
}

/// <summary>
/// One direction of a proxied connection: a reader that stamps each chunk with the moment it may arrive, and a writer that waits for
/// it and applies the faults in force at that moment.
/// </summary>
internal sealed class FaultyPipe(
    Socket from, Socket to, bool isToServer, Func<LinkFaults> faults, Random random, FaultProxyCounters counters, TimeProvider time)
{
    /// <summary>Chunks on the way at most; with <see cref="ChunkBytes"/> that is 1 MiB, so that half a second of latency still carries 2 MiB/s.</summary>
    internal const int QueuedChunks = 64;

    private const int ChunkBytes = 16 * 1024;

    // How soon a lifted stall is noticed.
    private static readonly TimeSpan StallPoll = TimeSpan.FromMilliseconds(10);

    private readonly Channel<Chunk> _onTheWay = Channel.CreateBounded<Chunk>(new BoundedChannelOptions(QueuedChunks) { SingleReader = true, SingleWriter = true });
    private long _passed;
    private long _lastMoved = time.GetTimestamp();

    /// <summary>When bytes last came or went.</summary>
    internal long LastMoved => Interlocked.Read(ref _lastMoved);

    /// <summary>Runs until the direction is over; never throws for what sockets do.</summary>
    internal async Task<PipeEnd> RunAsync(CancellationToken stop)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<PipeEnd> reading = ReadAsync(end.Token);
        PipeEnd written = await WriteAsync(end.Token).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        PipeEnd read = await reading.ConfigureAwait(false);
        return written == PipeEnd.Finished && read == PipeEnd.Finished ? PipeEnd.Finished : written;
    }

    private async Task<PipeEnd> ReadAsync(CancellationToken stop)
    {
        PipeEnd end = PipeEnd.Broken;
        long earliest = 0;
        try
        {
            while (true)
            {
                byte[] buffer = new byte[ChunkBytes];
                int length = await from.ReceiveAsync(buffer, SocketFlags.None, stop).ConfigureAwait(false);
                if (length == 0)
                {
                    end = PipeEnd.Finished;
                    break;
                }

                Interlocked.Exchange(ref _lastMoved, time.GetTimestamp());
                earliest = Math.Max(earliest, time.GetTimestamp() + TimestampsOf(DelayNow()));
                await _onTheWay.Writer.WriteAsync(new Chunk(buffer.AsMemory(0, length), earliest), stop).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            end = PipeEnd.Broken;
        }

        _onTheWay.Writer.TryComplete(end == PipeEnd.Broken ? new SocketException((int)SocketError.ConnectionReset) : null);
        return end;
    }

    private async Task<PipeEnd> WriteAsync(CancellationToken stop)
    {
        try
        {
            await foreach (Chunk chunk in _onTheWay.Reader.ReadAllAsync(stop).ConfigureAwait(false))
            {
                await WaitUntilAsync(chunk.Due, stop).ConfigureAwait(false);
                if (await WriteChunkAsync(chunk.Bytes, stop).ConfigureAwait(false) is { } end)
                {
                    return end;
                }
            }

            to.Shutdown(SocketShutdown.Send);
            return PipeEnd.Finished;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            return PipeEnd.Broken;
        }
    }

    // Null: go on.
    private async Task<PipeEnd?> WriteChunkAsync(Memory<byte> bytes, CancellationToken stop)
    {
        while (bytes.Length > 0)
        {
            await WaitWhileStalledAsync(stop).ConfigureAwait(false);
            LinkFaults now = faults();
            if (now.IsSwallowed)
            {
                counters.AddSwallowed(bytes.Length);
                return null;
            }

            int length = LengthOfNext(now, bytes.Length);
            if (length == 0)
            {
                return EndOnPurpose(now);
            }

            Flip(now, bytes.Span[..length]);
            _passed += length;
            counters.AddPassed(isToServer, length);
            await SendAllAsync(bytes[..length], stop).ConfigureAwait(false);
            bytes = bytes[length..];
            if (now.BytesPerSecond > 0)
            {
                await Task.Delay(TimeSpan.FromSeconds((double)length / now.BytesPerSecond), time, stop).ConfigureAwait(false);
            }
        }

        return null;
    }

    private int LengthOfNext(LinkFaults now, int available)
    {
        int length = now.SliceBytes > 0 ? Math.Min(now.SliceBytes, available) : available;

        // A tenth of a second of the bandwidth at once, so that a slow link trickles instead of pausing for seconds.
        length = now.BytesPerSecond > 0 ? Math.Min(length, (int)Math.Max(1, now.BytesPerSecond / 10)) : length;
        foreach (long limit in new[] { now.ResetAfterBytes, now.FinishAfterBytes })
        {
            length = limit > 0 ? (int)Math.Min(length, Math.Max(0, limit - _passed)) : length;
        }

        return length;
    }

    private PipeEnd EndOnPurpose(LinkFaults now)
    {
        if (now.ResetAfterBytes > 0 && _passed >= now.ResetAfterBytes)
        {
            counters.AddReset();
            return PipeEnd.Broken;
        }

        counters.AddFinish();
        to.Shutdown(SocketShutdown.Send);
        return PipeEnd.Finished;
    }

    private void Flip(LinkFaults now, Span<byte> bytes)
    {
        if (now.FlipOneIn <= 0)
        {
            return;
        }

        for (int i = 0; i < bytes.Length; i++)
        {
            if (random.Next(now.FlipOneIn) == 0)
            {
                bytes[i] ^= (byte)(1 << random.Next(8));
                counters.AddFlipped(1);
            }
        }
    }

    private async Task SendAllAsync(Memory<byte> bytes, CancellationToken stop)
    {
        while (bytes.Length > 0)
        {
            int sent = await to.SendAsync(bytes, SocketFlags.None, stop).ConfigureAwait(false);
            Interlocked.Exchange(ref _lastMoved, time.GetTimestamp());
            bytes = bytes[sent..];
        }
    }

    private async Task WaitWhileStalledAsync(CancellationToken stop)
    {
        while (faults().IsStalled)
        {
            await Task.Delay(StallPoll, time, stop).ConfigureAwait(false);
        }
    }

    private async Task WaitUntilAsync(long due, CancellationToken stop)
    {
        TimeSpan wait = time.GetElapsedTime(time.GetTimestamp(), due);
        if (wait > TimeSpan.Zero)
        {
            await Task.Delay(wait, time, stop).ConfigureAwait(false);
        }
    }

    private TimeSpan DelayNow()
    {
        LinkFaults now = faults();
        return now.Delay + (now.Jitter * random.NextDouble());
    }

    private long TimestampsOf(TimeSpan span) => (long)(span.TotalSeconds * time.TimestampFrequency);

    private readonly record struct Chunk(Memory<byte> Bytes, long Due);
}
