using System.Diagnostics;
using System.Net;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>
/// Many agents into one aggregator's memory, without TLS: each its own connection, 400-value frames. CPU is the aggregator
/// process' own, by the kernel. Paced at 1 Hz like a fleet, then flat out with fewer streams.
/// </summary>
internal static class RpcBenchmark
{
    private const int FlatOutStreams = 64;
    private const int RowsOfAHead = 128;
    private const int WindowSeconds = 10;
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FlatOutTime = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        int streams = Arguments.Number(arguments, "--streams", 2000);
        int seconds = Arguments.Number(arguments, "--seconds", 30);

        // After the history: for the pool and the tiered code to settle at the pace that is measured.
        int warmUp = Arguments.Number(arguments, "--warm-up", 20);
        string address = $"127.0.0.1:{LocalPair.FreePort()}";
        string state = Directory.CreateTempSubdirectory("nodeagent-bench-").FullName;
        try
        {
            return await RunAsync(address, state, streams, seconds, warmUp).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(state, recursive: true);
        }
    }

    private static async Task<int> RunAsync(string address, string state, int streams, int seconds, int warmUp)
    {
        // No quota stands in the way of what is measured.
        using RealProcess aggregator = RealProcess.Start("aggregator", Repository.AggregatorProgram,
            ["run", "--set", $"listen.plaintext={address}", "--set", $"state.directory={state}",
                "--set", "quota.records_per_second=1000000", "--set", "quota.bytes_per_second=1GiB"]);
        await aggregator.WaitForLineAsync(line => line.Contains("event=AggregatorReady", StringComparison.Ordinal), StartLimit).ConfigureAwait(false);
        using AggregatorClient client = AggregatorClient.Plaintext(address);
        ProcessMeter meter = new(aggregator.Id);

        PacedResult paced = await PacedAsync(address, streams, warmUp, seconds, client, meter).ConfigureAwait(false);
        Phase flat = await FlatOutAsync(address, streams, client, meter).ConfigureAwait(false);
        Console.WriteLine($"{"",-24} {"frames",10} {"frames/s",10} {"CPU s",8} {"us/frame",9} {"frames/CPU-s",13} {"samples/CPU-s",14} {"alloc B/frame",14}");
        foreach (Phase window in paced.Windows)
        {
            Show("  of which", window);
        }

        Show($"{streams} streams at 1 Hz", paced.Whole);
        Show($"{FlatOutStreams} streams flat out", flat);
        Console.WriteLine($"{streams} streams that say nothing: {paced.SilentCpuMsPerSecond:0.0} ms CPU/s");
        Console.WriteLine($"aggregator RSS {meter.RssMib():0} MiB");
        WarnUnlessPaced(paced.Whole, streams);
        Phase whole = paced.Whole;
        Console.WriteLine(
            $$"""{"frames_per_cpu_s":{{whole.FramesPerCpuSecond:0}},"samples_per_cpu_s":{{whole.FramesPerCpuSecond * HostLikeFrames.Columns:0}},"alloc_bytes_per_frame":{{whole.AllocatedPerFrame:0}},"flat_out_frames_per_cpu_s":{{flat.FramesPerCpuSecond:0}},"flat_out_frames_per_s":{{flat.Frames / flat.Wall.TotalSeconds:0}},"flat_out_alloc_bytes_per_frame":{{flat.AllocatedPerFrame:0}},"silent_cpu_ms_per_s":{{paced.SilentCpuMsPerSecond:0.0}},"rss_mib":{{meter.RssMib():0}}}""");
        await aggregator.StopAsync(TimeSpan.FromSeconds(15)).ConfigureAwait(false);
        return 0;
    }

    // The same frames cost less when they come in heaps, so such a figure says nothing about a fleet's pace.
    private static void WarnUnlessPaced(Phase phase, int streams)
    {
        double rate = phase.Frames / phase.Wall.TotalSeconds;
        if (Math.Abs(rate - streams) > 0.02 * streams)
        {
            Console.WriteLine($"WARNING: {rate:0} frames/s instead of {streams}: this machine was too busy to keep the pace; the first row is not comparable");
        }
    }

    private static async Task<PacedResult> PacedAsync(string address, int count, int warmUp, int seconds, AggregatorClient client, ProcessMeter meter)
    {
        BenchStream[] streams = await OpenAsync(address, count, first: 0).ConfigureAwait(false);
        try
        {
            await SendHistoryAsync(streams).ConfigureAwait(false);
            await PaceAsync(streams, TimeSpan.FromSeconds(warmUp)).ConfigureAwait(false);
            List<Mark> marks = [await Mark.TakeAsync(client, meter).ConfigureAwait(false)];
            for (int left = seconds; left > 0; left -= WindowSeconds)
            {
                await PaceAsync(streams, TimeSpan.FromSeconds(Math.Min(left, WindowSeconds))).ConfigureAwait(false);
                marks.Add(await Mark.TakeAsync(client, meter).ConfigureAwait(false));
            }

            // From here to the end of the silence: the last acknowledgements have gone, and what is left is keeping watch over connections.
            await Task.Delay(Silence / 3, TimeProvider.System).ConfigureAwait(false);
            long cpu = meter.CpuNs();
            await Task.Delay(Silence, TimeProvider.System).ConfigureAwait(false);
            double silentMsPerSecond = (meter.CpuNs() - cpu) / 1e6 / Silence.TotalSeconds;
            await CloseAsync(streams).ConfigureAwait(false);
            return new PacedResult(
                new Phase(marks[0], marks[^1]), [.. marks.Zip(marks.Skip(1), (from, to) => new Phase(from, to))], silentMsPerSecond);
        }
        finally
        {
            Array.ForEach(streams, stream => stream.Dispose());
        }
    }

    private static async Task<Phase> FlatOutAsync(string address, int first, AggregatorClient client, ProcessMeter meter)
    {
        BenchStream[] streams = await OpenAsync(address, FlatOutStreams, first).ConfigureAwait(false);
        try
        {
            Mark before = await Mark.TakeAsync(client, meter).ConfigureAwait(false);
            Stopwatch watch = Stopwatch.StartNew();
            await Task.WhenAll(streams.Select(stream => Task.Run(async () =>
            {
                long start = Now();
                for (int i = 0; watch.Elapsed < FlatOutTime; i++)
                {
                    // Times go on by a second a frame, as they would after an outage; the aggregator refuses what is far in the future.
                    await stream.SendAsync(start - 3_600_000 + (i % 3_600_000)).ConfigureAwait(false);
                }
            }))).ConfigureAwait(false);
            await CloseAsync(streams).ConfigureAwait(false);
            Mark after = await Mark.TakeAsync(client, meter).ConfigureAwait(false);
            return new Phase(before, after);
        }
        finally
        {
            Array.ForEach(streams, stream => stream.Dispose());
        }
    }

    private static async Task<BenchStream[]> OpenAsync(string address, int count, int first)
    {
        BenchStream[] streams = [.. Enumerable.Range(first, count).Select(number => new BenchStream(address, number))];
        foreach (BenchStream[] some in streams.Chunk(50))
        {
            await Task.WhenAll(some.Select(stream => stream.OpenAsync())).ConfigureAwait(false);
        }

        return streams;
    }

    // As after an outage: every head is filled and closed once, and the streams then stand at different rows of their heads, as a fleet
    // does. Without it the first two minutes of a run only show a store that grows.
    private static async Task SendHistoryAsync(BenchStream[] streams)
    {
        long now = Now();
        await Parallel.ForEachAsync(Enumerable.Range(0, streams.Length), async (number, _) =>
        {
            for (int age = RowsOfAHead + (number % RowsOfAHead); age > 0; age--)
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
                if (stream.Failure is { } failure)
                {
                    throw new InvalidOperationException($"a stream ended: {failure}");
                }
            }

            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System).ConfigureAwait(false);
        }
    }

    private static async Task CloseAsync(BenchStream[] streams)
    {
        await Task.WhenAll(streams.Select(stream => stream.CloseAsync())).ConfigureAwait(false);
        if (streams.FirstOrDefault(stream => stream.Failure is not null || stream.Acknowledged != stream.Sent) is { } broken)
        {
            throw new InvalidOperationException($"a stream sent {broken.Sent} and has {broken.Acknowledged} acknowledged: {broken.Failure}");
        }
    }

    private static long Now() => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    private static void Show(string name, Phase phase) => Console.WriteLine(
        $"{name,-24} {phase.Frames,10} {phase.Frames / phase.Wall.TotalSeconds,10:0} {phase.CpuSeconds,8:0.00} {1e6 / phase.FramesPerCpuSecond,9:0.0} {phase.FramesPerCpuSecond,13:0} {phase.FramesPerCpuSecond * HostLikeFrames.Columns,14:0} {phase.AllocatedPerFrame,14:0}");

    private sealed record Mark(long CpuNs, ulong Frames, ulong AllocatedBytes, long At)
    {
        internal static async Task<Mark> TakeAsync(AggregatorClient client, ProcessMeter meter)
        {
            GetStatusResponse status = await client.StatusAsync().ConfigureAwait(false);
            return new Mark(meter.CpuNs(), status.FramesTotal, status.AllocatedBytesTotal, Stopwatch.GetTimestamp());
        }
    }

    // The windows show whether the state was steady; the silence, what PINGs and heartbeats cost.
    private sealed record PacedResult(Phase Whole, IReadOnlyList<Phase> Windows, double SilentCpuMsPerSecond);

    private sealed record Phase(Mark Before, Mark After)
    {
        internal double Frames => After.Frames - Before.Frames;

        internal double CpuSeconds => (After.CpuNs - Before.CpuNs) / 1e9;

        internal TimeSpan Wall => Stopwatch.GetElapsedTime(Before.At, After.At);

        internal double FramesPerCpuSecond => Frames / CpuSeconds;

        internal double AllocatedPerFrame => (After.AllocatedBytes - Before.AllocatedBytes) / Frames;
    }
}
