using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using NodeAgent.Testing.Fleet;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// <c>bench store</c>: the same synthetic telemetry into our store and, where it is installed, Debian's victoria-metrics; what it costs,
/// what it takes on the disk, and how fast the usual questions are answered. Our queries run in process, those of one series over gRPC too,
/// VictoriaMetrics' over HTTP on loopback; the time of a trivial HTTP request is printed beside them.
/// </summary>
internal static class StoreBenchmark
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    private static readonly string[] s_parts = ["engine", "many", "vm", "e2e", "restart", "death", "churn"];

    /// <summary>All parts, or the one named first.</summary>
    internal static async Task<int> RunAsync(string[] arguments)
    {
        string? only = Array.Find(s_parts, part => arguments is [var first, ..] && first == part);
        string directory = Directory.CreateTempSubdirectory("bench-store-").FullName;
        try
        {
            return await RunAsync(arguments, only is null ? [.. s_parts] : [only], directory).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<int> RunAsync(string[] arguments, HashSet<string> parts, string directory)
    {
        int nodes = Arguments.Number(arguments, "--nodes", 50);
        int seconds = Arguments.Number(arguments, "--seconds", 7_200);
        int manyNodes = Arguments.Number(arguments, "--many-nodes", 1_000);
        OurFigures ours = new();
        VmFigures? vm = null;
        DeathFigures? death = null;
        ChurnFigures? churn = null;
        foreach (string part in s_parts.Where(parts.Contains))
        {
            long started = Stopwatch.GetTimestamp();
            string own = Path.Combine(directory, part);
            switch (part)
            {
                case "engine":
                    Console.Error.WriteLine($"{nodes} nodes x {SyntheticFleet.SeriesPerNode} series x {seconds} s = {(long)nodes * SyntheticFleet.SeriesPerNode * seconds:N0} samples; {directory}");
                    ours = await OurStore.MeasureAsync(own, nodes, seconds, Arguments.Number(arguments, "--rounds", 1)).ConfigureAwait(false);
                    break;
                case "many":
                    ours = OurStore.MeasureMany(own, manyNodes, Arguments.Number(arguments, "--many-seconds", 900), ours);
                    break;
                case "vm":
                    vm = await VictoriaMetrics.TryMeasureAsync(own, nodes, seconds).ConfigureAwait(false);
                    break;
                case "e2e":
                    (ours, vm) = await E2eAsync(arguments, own, ours, vm).ConfigureAwait(false);
                    break;
                case "restart":
                    ours = await E2eBenchmark.MeasureRestartAsync(own, manyNodes, ours).ConfigureAwait(false);
                    break;
                case "death":
                    death = DeathBenchmark.Measure(own, nodes);
                    break;
                default:
                    churn = ChurnBenchmark.Measure(own, Arguments.Number(arguments, "--churn-nodes", 2_500), Arguments.Number(arguments, "--churn-hours", 6));
                    break;
            }

            Console.Error.WriteLine($"[{part}: {Stopwatch.GetElapsedTime(started).TotalSeconds:0} s]");
            GC.Collect(); // what a part held is no part of the next one's memory
        }

        StoreFloors.Print(Console.Error, ours, vm, death, churn);
        Console.WriteLine(JsonSerializer.Serialize(new { ours, vm, churn, death }, s_json));
        return 0;
    }

    private static async Task<(OurFigures Ours, VmFigures? Vm)> E2eAsync(string[] arguments, string directory, OurFigures ours, VmFigures? vm)
    {
        int streams = Arguments.Number(arguments, "--streams", 2_000);
        int seconds = Arguments.Number(arguments, "--paced-seconds", 30);
        ours = await E2eBenchmark.MeasureAsync(directory, streams, Arguments.Number(arguments, "--warm-up", 10), seconds, ours).ConfigureAwait(false);
        double? theirs = await VictoriaMetrics.TryMeasureWideAsync(Path.Combine(directory, "vm"), streams, Math.Min(seconds, 20)).ConfigureAwait(false);
        return (ours, theirs is null ? vm : (vm ?? new VmFigures()) with { E2eSamplesPerCpuS = theirs.Value });
    }

    /// <summary>Median time of some runs, in milliseconds.</summary>
    internal static double MedianMs(int runs, Action act)
    {
        List<double> times = [];
        for (int i = 0; i < runs; i++)
        {
            long started = Stopwatch.GetTimestamp();
            act();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }

        return Arguments.Median(times);
    }
}
