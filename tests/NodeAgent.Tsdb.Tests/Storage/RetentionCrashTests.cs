using System.Globalization;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Query;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Storage;

/// <summary>
/// Retention, merging, and the forgetting of series, killed at every file call in turn. What is not yet due is there after the restart, exactly;
/// what is due is wholly there or wholly gone, window by window; and nothing that is gone comes back.
/// </summary>
public sealed class RetentionCrashTests
{
    private const long Hour = 3_600_000;
    private const long Day = 24 * Hour;
    private const int Jobs = 12;
    private const int Parts = 8;

    public static TheoryData<int> AllParts => [.. Enumerable.Range(0, Parts)];

    [Theory]
    [MemberData(nameof(AllParts))]
    public void Kill_AtAnyFileCallOfRetentionAndMerging_LeavesWholeWindows(int part)
    {
        SimulatedDisk healthy = new(1);
        long first = Prepare(healthy, out DurableStore prepared);
        RunOut(prepared);
        long last = healthy.Calls;
        Assert.Equal(Wanted(isDropped: true), Held(prepared));
        Assert.True(prepared.Segments.Counters.SamplesExpired > 0 && prepared.Segments.Counters.Merges > 0);
        prepared.Dispose();
        Assert.True(last > first + 50, $"{last - first} calls");
        for (long call = first + 1 + part; call <= last; call += Parts)
        {
            SimulatedDisk disk = new(1);
            Prepare(disk, out DurableStore store);
            disk.Fault = new DiskFault(DiskFaultKind.Error, call, Errno.InputOutput, int.MaxValue);
            RunOut(store);
            (call % 2 == 0 ? (Action)disk.KillProcess : disk.CutPower)();
            disk.Fault = null;
            using DurableStore again = Open(disk);
            Dictionary<string, string> held = Held(again);
            Assert.True(Same(held, Wanted(true)) || Same(held, Wanted(false)), $"call {call}: {string.Join(", ", held)}");
            RunOut(again);
            Assert.Equal(Wanted(isDropped: true), Held(again));
        }
    }

    /// <summary>Jobs that each run for two hours and end, in files but not merged; one series lives through all of it.</summary>
    private static long Prepare(SimulatedDisk disk, out DurableStore store)
    {
        store = Open(disk);
        for (int job = 0; job < Jobs; job++)
        {
            SchemaHandle schema = store.Schema("n", "s", Gauge("all"), Gauge("job", ("job", job.ToString(CultureInfo.InvariantCulture))));
            for (int minute = 1; minute <= 120; minute += 20)
            {
                store.Row(schema, TimeOf(job, minute), job, job + 0.5);
            }

            Assert.True(store.Flush());
        }

        return disk.Calls;
    }

    /// <summary>A little more than a day later, minute by minute: windows are merged, and the first ones' samples are due.</summary>
    private static void RunOut(DurableStore store)
    {
        for (int i = 0; i < 30; i++)
        {
            store.Maintain(Start + (2 * Hour) + (26 * Hour) + 600_000 + (i * 61_000));
        }
    }

    private static Dictionary<string, string> Wanted(bool isDropped)
    {
        Dictionary<string, string> wanted = [];
        for (int job = isDropped ? 1 : 0; job < Jobs; job++)
        {
            wanted[$"job {job}"] = string.Join(' ', Times(job).Select(time => $"{time - Start}={(job + 0.5).ToString(CultureInfo.InvariantCulture)}"));
        }

        wanted["all"] = string.Join(' ', Enumerable.Range(isDropped ? 1 : 0, Jobs - (isDropped ? 1 : 0)).SelectMany(job => Times(job).Select(time => $"{time - Start}={job}")));
        return wanted;
    }

    private static Dictionary<string, string> Held(DurableStore store)
    {
        Dictionary<string, string> held = [];
        foreach (SeriesInfo series in store.Match(Selector.All, long.MinValue, long.MaxValue))
        {
            string samples = store.Samples(series);
            if (samples.Length > 0)
            {
                held[series.Metric == "all" ? "all" : $"job {series.LabelValue("job")}"] = samples;
            }
        }

        return held;
    }

    private static bool Same(Dictionary<string, string> left, Dictionary<string, string> right) =>
        left.Count == right.Count && left.All(pair => right.TryGetValue(pair.Key, out string? value) && value == pair.Value);

    private static IEnumerable<long> Times(int job) => Enumerable.Range(0, 6).Select(i => TimeOf(job, 1 + (i * 20)));

    private static long TimeOf(int job, int minute) => Start + (job * 2 * Hour) + (minute * 60_000L);

    private static DurableStore Open(SimulatedDisk disk)
    {
        DurableStoreOptions options = new()
        {
            Directory = "/store", HasThreads = false, HeadRows = 8, MaxLateMs = Hour, RawRetentionMs = 26 * Hour, MinuteRetentionMs = 3 * Day, HourRetentionMs = 10 * Day,
        };
        Assert.True(DurableStore.TryOpen(options, disk, TimeProvider.System, out DurableStore? store, out Journal.OpenError? error), error?.ToString());
        return store;
    }
}
