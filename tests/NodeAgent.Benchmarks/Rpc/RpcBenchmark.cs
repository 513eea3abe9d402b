using System.Diagnostics;
using System.Net;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.Benchmarks.Rpc;

/// <summary>
/// Many agents into one aggregator's memory, without TLS: each its own connection, 400-value frames. CPU is the aggregator
/// process' own, by the kernel; the write-ahead log's thread, which syncs every frame to disk, is shown beside it. Paced at 1 Hz like a fleet, then flat out with fewer streams.
/// </summary>
internal static class RpcBenchmark
{
    private const int FlatOutStreams = 64;
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

        PacedResult paced = await PacedFleet.RunAsync(address, streams, warmUp, seconds, client, meter).ConfigureAwait(false);
        Phase flat = await FlatOutAsync(address, streams, client, meter).ConfigureAwait(false);
        Console.WriteLine($"{"",-24} {"frames",10} {"frames/s",10} {"CPU s",8} {"log s",7} {"us/frame",9} {"frames/CPU-s",13} {"samples/CPU-s",14} {"alloc B/frame",14}");
        foreach (Phase window in paced.Windows)
        {
            Show("  of which", window);
        }

        Show($"{streams} streams at 1 Hz", paced.Whole);
        Show($"{FlatOutStreams} streams flat out", flat);
        Console.WriteLine($"{streams} streams that say nothing: {paced.SilentCpuMsPerSecond:0.0} ms CPU/s");
        Console.WriteLine($"aggregator RSS {meter.RssMib():0} MiB");
        Console.WriteLine($"{streams} streams at 1 Hz without the threads that sync the log and detect ({paced.Whole.DetectionSeconds * 1e6 / paced.Whole.Frames:0.0} us/frame): {paced.Whole.FramesPerCpuSecondToMemory:0} frames/CPU-s");
        WarnUnlessPaced(paced.Whole, streams);
        Phase whole = paced.Whole;
        Console.WriteLine(
            $$"""{"frames_per_cpu_s":{{whole.FramesPerCpuSecondToMemory:0}},"frames_per_cpu_s_with_log":{{whole.FramesPerCpuSecond:0}},"samples_per_cpu_s":{{whole.FramesPerCpuSecondToMemory * HostLikeFrames.Columns:0}},"alloc_bytes_per_frame":{{whole.AllocatedPerFrame:0}},"flat_out_frames_per_cpu_s":{{flat.FramesPerCpuSecond:0}},"flat_out_frames_per_s":{{flat.Frames / flat.Wall.TotalSeconds:0}},"flat_out_alloc_bytes_per_frame":{{flat.AllocatedPerFrame:0}},"silent_cpu_ms_per_s":{{paced.SilentCpuMsPerSecond:0.0}},"rss_mib":{{meter.RssMib():0}}}""");
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

    private static async Task<Phase> FlatOutAsync(string address, int first, AggregatorClient client, ProcessMeter meter)
    {
        BenchStream[] streams = await PacedFleet.OpenAsync(address, FlatOutStreams, first).ConfigureAwait(false);
        try
        {
            Mark before = await Mark.TakeAsync(client, meter).ConfigureAwait(false);
            Stopwatch watch = Stopwatch.StartNew();
            await Task.WhenAll(streams.Select(stream => Task.Run(async () =>
            {
                long start = PacedFleet.Now();
                for (int i = 0; watch.Elapsed < FlatOutTime; i++)
                {
                    // Times go on by a second a frame, as they would after an outage; the aggregator refuses what is far in the future.
                    await stream.SendAsync(start - 3_600_000 + (i % 3_600_000)).ConfigureAwait(false);
                }
            }))).ConfigureAwait(false);
            await PacedFleet.CloseAsync(streams).ConfigureAwait(false);
            Mark after = await Mark.TakeAsync(client, meter).ConfigureAwait(false);
            return new Phase(before, after);
        }
        finally
        {
            Array.ForEach(streams, stream => stream.Dispose());
        }
    }

    private static void Show(string name, Phase phase) => Console.WriteLine(
        $"{name,-24} {phase.Frames,10} {phase.Frames / phase.Wall.TotalSeconds,10:0} {phase.CpuSeconds,8:0.00} {phase.LogSeconds,7:0.00} {1e6 / phase.FramesPerCpuSecond,9:0.0} {phase.FramesPerCpuSecond,13:0} {phase.FramesPerCpuSecond * HostLikeFrames.Columns,14:0} {phase.AllocatedPerFrame,14:0}");
}
