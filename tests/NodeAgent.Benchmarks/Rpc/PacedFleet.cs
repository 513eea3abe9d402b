using System.Diagnostics;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>Many agents at 1 Hz, each its own connection, as a fleet sends.</summary>
internal static class PacedFleet
{
    private const int RowsOfAHead = 128;
    private const int WindowSeconds = 10;
    private const int OpenedAtOnce = 50;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);

    /// <summary>Opens streams, gives each its history, lets the pace settle, and measures.</summary>
    internal static async Task<PacedResult> RunAsync(
        string address, int count, int warmUp, int seconds, AggregatorClient client, ProcessMeter meter, BenchFleet? fleet = null, bool hasSilence = true)
    {
        BenchStream[] streams = await OpenAsync(address, count, first: 0, fleet).ConfigureAwait(false);
        try
        {
            await SendHistoryAsync(streams).ConfigureAwait(false);
            await TakenAsync(client, streams).ConfigureAwait(false);
            await PaceAsync(streams, TimeSpan.FromSeconds(warmUp)).ConfigureAwait(false);
            List<Mark> marks = [await Mark.TakeAsync(client, meter).ConfigureAwait(false)];
            for (int left = seconds; left > 0; left -= WindowSeconds)
            {
                await PaceAsync(streams, TimeSpan.FromSeconds(Math.Min(left, WindowSeconds))).ConfigureAwait(false);
                marks.Add(await Mark.TakeAsync(client, meter).ConfigureAwait(false));
            }

            double silentMsPerSecond = hasSilence ? await SilentAsync(meter).ConfigureAwait(false) : 0;
            await CloseAsync(streams).ConfigureAwait(false);
            return new PacedResult(
                new Phase(marks[0], marks[^1]), [.. marks.Zip(marks.Skip(1), (from, to) => new Phase(from, to))], silentMsPerSecond);
        }
        finally
        {
            Array.ForEach(streams, stream => stream.Dispose());
        }
    }

    // The last acknowledgements have gone before it is measured, and what is left is keeping watch over connections.
    private static async Task<double> SilentAsync(ProcessMeter meter)
    {
        await Task.Delay(Silence / 3, TimeProvider.System).ConfigureAwait(false);
        long cpu = meter.CpuNs();
        await Task.Delay(Silence, TimeProvider.System).ConfigureAwait(false);
        return (meter.CpuNs() - cpu) / 1e6 / Silence.TotalSeconds;
    }

    internal static async Task<BenchStream[]> OpenAsync(string address, int count, int first, BenchFleet? fleet = null)
    {
        // A few at a time: a stream connects when it is made, and says hello soon after or is turned away.
        List<BenchStream> streams = [];
        foreach (int[] numbers in Enumerable.Range(first, count).Chunk(OpenedAtOnce))
        {
            BenchStream[] some = [.. numbers.Select(number => new BenchStream(address, number, fleet))];
            await Task.WhenAll(some.Select(stream => stream.OpenAsync())).ConfigureAwait(false);
            streams.AddRange(some);
        }

        return [.. streams];
    }

    // A busy machine takes a history for a while after it was sent, and then it would be counted with what is paced. On one that is too busy a
    // connection's PINGs go unanswered and it ends, and what it carried never comes.
    private static async Task TakenAsync(AggregatorClient client, BenchStream[] streams)
    {
        ulong frames = streams.Aggregate(0UL, (sum, stream) => sum + stream.Sent);
        while ((await client.StatusAsync().ConfigureAwait(false)).FramesTotal < frames)
        {
            ThrowIfEnded(streams);
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System).ConfigureAwait(false);
        }
    }

    private static void ThrowIfEnded(ReadOnlySpan<BenchStream> streams)
    {
        foreach (BenchStream stream in streams)
        {
            if (stream.Failure is { } failure)
            {
                throw new InvalidOperationException($"a stream ended: {failure}");
            }
        }
    }

    // As after an outage: every head is filled and closed, and the streams then stand at different rows of their heads, as a fleet
    // does. Without it the first minutes of a run only show a store that grows. Two heads' rows: the first one closes early, at a different
    // row for each stream, and only the second one makes it grow to its full size.
    private static async Task SendHistoryAsync(BenchStream[] streams)
    {
        long now = Now();
        await Parallel.ForEachAsync(Enumerable.Range(0, streams.Length), async (number, _) =>
        {
            for (int age = (2 * RowsOfAHead) + (number % RowsOfAHead); age > 0; age--)
            {
                await streams[number].SendAsync(now - (age * 1000L)).ConfigureAwait(false);
                if (age % 16 == 0)
                {
                    // The connections that wait for their turn have PINGs to answer.
                    await Task.Yield();
                }
            }
        }).ConfigureAwait(false);
    }

    // Every stream has its place in the second, as agents' phases spread a fleet.
    private static async Task PaceAsync(BenchStream[] streams, TimeSpan duration)
    {
        Stopwatch watch = Stopwatch.StartNew();
        long sent = 0;
        while (watch.Elapsed < duration)
        {
            long due = (long)(watch.Elapsed.TotalSeconds * streams.Length);
            for (; sent < due; sent++)
            {
                BenchStream stream = streams[sent % streams.Length];
                await stream.SendAsync(Now()).ConfigureAwait(false);
                ThrowIfEnded([stream]);
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System).ConfigureAwait(false);
        }
    }

    internal static async Task CloseAsync(BenchStream[] streams)
    {
        await Task.WhenAll(streams.Select(stream => stream.CloseAsync())).ConfigureAwait(false);
        if (streams.FirstOrDefault(stream => stream.Failure is not null || stream.Acknowledged != stream.Sent) is { } broken)
        {
            throw new InvalidOperationException($"a stream sent {broken.Sent} and has {broken.Acknowledged} acknowledged: {broken.Failure}");
        }
    }

    internal static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
}

/// <summary>What an aggregator had done and used at a moment.</summary>
internal sealed record Mark(long CpuNs, long LogNs, long DetectionNs, ulong Frames, ulong AllocatedBytes, long At)
{
    internal static async Task<Mark> TakeAsync(AggregatorClient client, ProcessMeter meter)
    {
        GetStatusResponse status = await client.StatusAsync().ConfigureAwait(false);
        return new Mark(meter.CpuNs(), meter.ThreadCpuNs("wal-commit"), meter.ThreadCpuNs("detection"), status.FramesTotal, status.AllocatedBytesTotal, Stopwatch.GetTimestamp());
    }
}

// The windows show whether the state was steady; the silence, what PINGs and heartbeats cost.
internal sealed record PacedResult(Phase Whole, IReadOnlyList<Phase> Windows, double SilentCpuMsPerSecond);

/// <summary>What happened between two moments.</summary>
internal sealed record Phase(Mark Before, Mark After)
{
    internal double Frames => After.Frames - Before.Frames;

    internal double CpuSeconds => (After.CpuNs - Before.CpuNs) / 1e9;

    /// <summary>Of the thread that writes and syncs the write-ahead log.</summary>
    internal double LogSeconds => (After.LogNs - Before.LogNs) / 1e9;

    /// <summary>Of the thread that watches over the samples; 0 where it is switched off.</summary>
    internal double DetectionSeconds => (After.DetectionNs - Before.DetectionNs) / 1e9;

    internal TimeSpan Wall => Stopwatch.GetElapsedTime(Before.At, After.At);

    internal double FramesPerCpuSecond => Frames / CpuSeconds;

    internal double FramesPerCpuSecondToMemory => Frames / (CpuSeconds - LogSeconds - DetectionSeconds);

    internal double AllocatedPerFrame => (After.AllocatedBytes - Before.AllocatedBytes) / Frames;
}
