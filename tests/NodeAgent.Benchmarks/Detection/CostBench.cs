using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Benchmarks.Placement;
using NodeAgent.Detection.Lanes;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>CPU time of one core per sample with every always-on lane running, and bytes per series; the state of 400,000 series fits no cache.</summary>
internal static class CostBench
{
    private const long Start = 1_700_000_000_000;

    internal static int Run(string[] arguments)
    {
        int series = Arguments.Number(arguments, "--series", 400_000);
        int rounds = Arguments.Number(arguments, "--rounds", 6);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var lanes = new SeriesLanes(series);
        double measured = (GC.GetTotalMemory(forceFullCollection: true) - before) / (double)series;
        var random = new SplitMix(7);
        double[] noise = [.. Enumerable.Range(0, 65_537).Select(_ => random.NextDouble() + random.NextDouble() + random.NextDouble())];

        // Two days at 15 minutes warm every path: seasons known, records judged.
        const int WarmRounds = 200;
        const int Sampled = 2000;
        var young = new double[rounds];
        for (int round = 0; round < rounds; round++)
        {
            young[round] = Round(lanes, series, noise, round, 1000);
        }

        var small = new SeriesLanes(Sampled);
        for (int round = 0; round < WarmRounds * 2; round++)
        {
            _ = Round(small, Sampled, noise, round, 900_000);
        }

        double hot = Enumerable.Range(0, 50).Select(round => Round(small, Sampled, noise, 400 + round, 900_000)).Order().ElementAt(25);
        for (int round = 0; round < WarmRounds; round++)
        {
            _ = Round(lanes, series, noise, rounds + round, 900_000);
        }

        double[] cold = [.. Enumerable.Range(0, rounds).Select(round => Round(lanes, series, noise, rounds + WarmRounds + round, 900_000)).Order()];
        double median = cold[cold.Length / 2];
        Console.WriteLine($"always-on lanes, {series} series: {median:F1} ns of CPU a sample with state cold in cache ({hot:F1} ns warm, {young.Min():F1} ns while young)");
        Console.WriteLine($"bytes a series: {SeriesLanes.BytesPerSeries} by layout, {measured:F0} measured on the heap");
        Console.WriteLine($"{series} series at 1 Hz: {series * median / 1e7:F1} % of a core");
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            bench = "detection cost", series, ns_per_sample = Math.Round(median, 1), ns_per_sample_in_cache = Math.Round(hot, 1), ns_per_sample_young = Math.Round(young.Min(), 1),
            bytes_per_series = SeriesLanes.BytesPerSeries, bytes_per_series_measured = Math.Round(measured), core_percent_at_1hz = Math.Round(series * median / 1e7, 1),
        }));
        return 0;
    }

    private static double Round(SeriesLanes lanes, int series, double[] noise, int round, int stepMs)
    {
        long now = Start + ((long)round * stepMs);
        double from = ThreadClock.Micros;
        long wall = Stopwatch.GetTimestamp();
        for (int one = 0; one < series; one++)
        {
            lanes.Expect(one + 1 < series ? one + 1 : 0, now);
            lanes.Update(one, 100 + noise[(int)(((one * 7919L) + (round * 104_729L)) % noise.Length)], now);
        }

        double micros = double.IsNaN(from) ? Stopwatch.GetElapsedTime(wall).TotalMicroseconds : ThreadClock.Micros - from;
        return micros * 1000 / series;
    }
}
