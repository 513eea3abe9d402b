namespace NodeAgent.Aggregator.Sinks;

/// <summary>
/// Brings one batch to an engine, however long that takes: again and again while the engine is away (waits with full jitter, so that many
/// aggregators do not come back at once), in pieces where it is too much, and around the lines that it refuses.
/// </summary>
internal sealed class SinkSender(SinkEndpoint endpoint, SinkCounters counters, DeadLetterLog deadLetters, TimeProvider time, Random random, Action<SinkReply, TimeSpan> onTrouble)
{
    /// <summary>The first wait is at most this; each one after it at most twice the one before, up to <see cref="MaxWait"/>.</summary>
    internal static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);

    internal static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    // An engine that asks for more is overruled: somebody may have mended it.
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromMinutes(5);

    // Halving finds a bad line among ten thousand in some 28 requests. A batch with more of them than this finds is set aside piece by piece.
    private const int MaxPieces = 200;

    /// <summary>Returns when the engine has every line that it will ever take.</summary>
    /// <param name="lines">Whole lines.</param>
    /// <param name="samples">In how many samples.</param>
    /// <param name="cancellation">Ends the waiting; the batch is not dealt with.</param>
    internal async Task SendAsync(ReadOnlyMemory<byte> lines, int samples, CancellationToken cancellation)
    {
        Stack<ReadOnlyMemory<byte>> pieces = new([lines]);
        int sent = 0;
        long taken = 0;
        int refused = 0;
        while (pieces.TryPop(out ReadOnlyMemory<byte> piece))
        {
            byte[] body = SinkEndpoint.Compress(piece.Span);
            SinkReply reply = await SendPieceAsync(body, cancellation).ConfigureAwait(false);
            sent++;
            if (reply.Verdict == SinkVerdict.Taken)
            {
                taken += body.Length;
                continue;
            }

            int middle = MiddleOf(piece.Span);
            if (middle > 0 && sent < MaxPieces)
            {
                pieces.Push(piece[middle..]);
                pieces.Push(piece[..middle]);
                continue;
            }

            int count = piece.Span.Count((byte)'\n');
            refused += LineLayout.CountSamples(piece.Span);
            counters.AddDeadLetters(count, deadLetters.TryAdd(time.GetUtcNow().ToUnixTimeMilliseconds(), reply.Reason, piece.Span));
            onTrouble(reply, TimeSpan.Zero);
        }

        counters.AddSent(samples - refused, taken);
    }

    /// <summary>Sends until the engine says something about the lines.</summary>
    private async Task<SinkReply> SendPieceAsync(byte[] body, CancellationToken cancellation)
    {
        for (int attempt = 0; ; attempt++)
        {
            SinkReply reply = await endpoint.SendAsync(body, cancellation).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (reply.Verdict is SinkVerdict.Taken or SinkVerdict.Bad or SinkVerdict.TooLarge)
            {
                return reply;
            }

            TimeSpan wait = WaitOf(attempt, reply.RetryAfter);
            onTrouble(reply, wait);
            counters.AddRetry();
            await Task.Delay(wait, time, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Full jitter: anything up to the bound. What the engine asks for comes on top, as the least.</summary>
    internal TimeSpan WaitOf(int attempt, TimeSpan? retryAfter)
    {
        double bound = Math.Min(MaxWait.TotalMilliseconds, FirstWait.TotalMilliseconds * Math.Pow(2, Math.Min(attempt, 20)));
#pragma warning disable CA5394 // Not for secrets.
        TimeSpan jitter = TimeSpan.FromMilliseconds(random.NextDouble() * bound);
#pragma warning restore CA5394
        return jitter + (retryAfter is { } asked ? (asked < MaxRetryAfter ? asked : MaxRetryAfter) : TimeSpan.Zero);
    }

    /// <summary>Behind the line break nearest to the middle; 0: there is one line only.</summary>
    internal static int MiddleOf(ReadOnlySpan<byte> lines)
    {
        int half = lines.Length / 2;
        int after = lines[half..].IndexOf((byte)'\n');
        int end = after < 0 ? lines.Length : half + after + 1;
        if (end < lines.Length)
        {
            return end;
        }

        return lines[..half].LastIndexOf((byte)'\n') + 1;
    }
}
