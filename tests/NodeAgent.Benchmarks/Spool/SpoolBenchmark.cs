using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Spool;
using NodeAgent.Agent.Tests.Spool.Durable;
using NodeAgent.Hosting.Logs;
using NodeAgent.Journal.Files;
using NodeAgent.Testing;

namespace NodeAgent.Benchmarks.Spool;

/// <summary>
/// 72 hours without an aggregator, on a simulated clock: the agent's own frame builder and spool over real files, fed by a synthetic host. Then what a
/// tick costs with every sync really made, how soon a restart goes on, and how soon the newest data is there.
/// </summary>
internal static class SpoolBenchmark
{
    private const long Limit = 512L << 20;
    private const int CostTicks = 3_000;

    internal static int Run(string[] arguments)
    {
        int hours = Arguments.Number(arguments, "--hours", 72);
        string folder = Path.Combine(Path.GetTempPath(), $"nodeagent-spool-{Environment.ProcessId}");
        try
        {
            SimulatedTime time = new();
            SyntheticHost host = new(seed: 1);
            Filled filled = Fill(Path.Combine(folder, "long"), time, host, hours * 3600);
            Restarted restarted = Restart(Path.Combine(folder, "long"), time);
            double cpuMs = MeasureCpu(Path.Combine(folder, "cost"));
            Report(hours, host.Series, filled, restarted, cpuMs);
            return filled.DiskBytes <= Limit && filled.Counts == default ? 0 : 1;
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static Filled Fill(string folder, SimulatedTime time, SyntheticHost host, int ticks)
    {
        // Syncs cost wall time and change no byte; the cost of a tick is measured apart, with them.
        DurableSpool spool = Open(folder, time, new UnsyncedFiles());
        FrameBuilder frames = new(spool);
        long samples = 0;
        for (int i = 0; i < ticks; i++)
        {
            samples += Tick(time, host, frames);
            spool.Pump();
        }

        Filled filled = new(samples, DiskUsage(folder), spool.Counts, spool.NextSequence - 1);
        spool.Dispose();
        return filled with { DiskBytes = Math.Max(filled.DiskBytes, DiskUsage(folder)) };
    }

    private static Restarted Restart(string folder, SimulatedTime time)
    {
        long start = Stopwatch.GetTimestamp();
        using DurableSpool spool = Open(folder, time, new UnsyncedFiles());
        TimeSpan opened = Stopwatch.GetElapsedTime(start);
        SyntheticHost host = new(seed: 2);
        FrameBuilder frames = new(spool);
        Tick(time, host, frames);
        spool.Pump();
        byte[] buffer = new byte[64 * 1024];
        start = Stopwatch.GetTimestamp();
        ulong newest = spool.LiveStart();
        spool.TryRead(ref newest, ref buffer, out _);
        TimeSpan fresh = Stopwatch.GetElapsedTime(start);
        start = Stopwatch.GetTimestamp();
        ulong read = 0;
        for (ulong sequence = spool.StartAfter(0); spool.TryRead(ref sequence, ref buffer, out _); sequence++)
        {
            read++;
        }

        return new Restarted(opened, fresh, newest, read, Stopwatch.GetElapsedTime(start));
    }

    // Encoded before, so that only the spool is in the measured part: append, write, sync, upkeep.
    private static double MeasureCpu(string folder)
    {
        SimulatedTime time = new();
        SyntheticHost host = new(seed: 3);
        MemorySpool encoded = new(1, 64L << 20);
        FrameBuilder frames = new(encoded);
        for (int i = 0; i < 2 * CostTicks; i++)
        {
            Tick(time, host, frames);
        }

        using DurableSpool spool = Open(folder, time, FileOps.ForThisMachine());
        byte[] buffer = new byte[64 * 1024];
        Feed(1);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        Feed(CostTicks + 1);
        return (Environment.CpuUsage.TotalTime - before).TotalMilliseconds / CostTicks;

        void Feed(ulong from)
        {
            for (ulong sequence = from; sequence < from + CostTicks; sequence++)
            {
                encoded.TryRead(ref sequence, ref buffer, out int length);
                time.Advance(TimeSpan.FromSeconds(1));
                spool.Append(buffer.AsSpan(0, length), sequence % 60 == 1 ? RecordKind.KeyFrame : RecordKind.Frame);
                spool.Pump();
            }
        }
    }

    private static long Tick(SimulatedTime time, SyntheticHost host, FrameBuilder frames)
    {
        long samples = 0;
        time.Advance(TimeSpan.FromSeconds(1));
        frames.Begin(time.GetUtcNow().ToUnixTimeMilliseconds(), (ulong)(time.GetTimestamp() * (1e9 / SimulatedTime.Frequency)), 1);
        foreach ((string sampler, Sampling.Scheduling.SeriesTable table, TimeSpan interval) in host.Tick())
        {
            frames.Add(sampler, (uint)interval.TotalMilliseconds, table);
            samples += table.Count;
        }

        frames.End();
        return samples;
    }

    private static DurableSpool Open(string folder, SimulatedTime time, IFileOps files) => DurableSpool.Open(
        new SpoolPlan { Directory = folder, MaxBytes = Limit, Owner = "bench", BootId = "boot" },
        files, time, new Random(1), new SpoolLog(NullLogger<SpoolLog>.Instance, new RepeatedEventGate(NullLogger.Instance, time)));

    private static long DiskUsage(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private static void Report(int hours, int series, Filled filled, Restarted restarted, double cpuMs)
    {
        double perSample = filled.DiskBytes / (double)filled.Samples;
        Console.WriteLine($"a synthetic host of {series} series at 1 Hz, {hours} h without an aggregator, limit {Limit >> 20} MiB");
        Console.WriteLine($"{"on disk",-36} {filled.DiskBytes / 1048576.0,10:0.0} MiB");
        Console.WriteLine($"{"bytes a sample, all included",-36} {perSample,10:0.000}");
        Console.WriteLine($"{"records dropped / thinned / lost",-36} {filled.Counts.DroppedRecords,10} / {filled.Counts.ThinnedRecords} / {filled.Counts.LostRecords}");
        Console.WriteLine($"{"CPU of a tick, with its sync",-36} {cpuMs,10:0.000} ms");
        Console.WriteLine($"{"restart over it",-36} {restarted.Opened.TotalMilliseconds,10:0} ms");
        Console.WriteLine($"{"newest record after that",-36} {restarted.Fresh.TotalMilliseconds,10:0.00} ms");
        Console.WriteLine($"{"reading all of it back",-36} {restarted.Read / Math.Max(0.001, restarted.Reading.TotalSeconds),10:0} records/s");
        Console.WriteLine(
            $$"""{"hours":{{hours}},"series":{{series}},"samples":{{filled.Samples}},"disk_bytes":{{filled.DiskBytes}},"bytes_per_sample":{{perSample:0.0000}},"dropped_records":{{filled.Counts.DroppedRecords}},"thinned_records":{{filled.Counts.ThinnedRecords}},"lost_records":{{filled.Counts.LostRecords}},"read_back":{{restarted.Read}},"cpu_ms_per_tick":{{cpuMs:0.0000}},"restart_ms":{{restarted.Opened.TotalMilliseconds:0}},"newest_ms":{{restarted.Fresh.TotalMilliseconds:0.00}}}""");
    }

    private sealed record Filled(long Samples, long DiskBytes, SpoolCounts Counts, ulong Records);

    private sealed record Restarted(TimeSpan Opened, TimeSpan Fresh, ulong Newest, ulong Read, TimeSpan Reading);
}
