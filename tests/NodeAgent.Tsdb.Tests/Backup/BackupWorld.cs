using System.Globalization;
using System.Text;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Backup;
using NodeAgent.Tsdb.Merging;
using static NodeAgent.Tsdb.Tests.Make;

namespace NodeAgent.Tsdb.Tests.Backup;

/// <summary>
/// A state directory as an aggregator has it, on a simulated disk: a write-ahead log of rows, a store, and events that remember places in
/// the log. Every row says by its number what it must be.
/// </summary>
internal sealed class BackupWorld : IDisposable
{
    public const string State = "/state";

    private static readonly string[] NodeNames = ["n0", "n1"];

    public BackupWorld(int seed, SimulatedDisk? disk = null, string state = State, string? store = null)
    {
        Disk = disk ?? new SimulatedDisk(seed);
        Log = Open($"{state}/wal");
        Events = Open($"{state}/events");
        DurableStoreOptions options = new() { Directory = store ?? $"{state}/store", HasThreads = false, HeadRows = 8 };
        Assert.True(DurableStore.TryOpen(options, Disk, TimeProvider.System, out DurableStore? opened, out OpenError? error), error?.Message);
        Store = opened;
        Replay();
    }

    public SimulatedDisk Disk { get; }

    public DurableLog Log { get; }

    public DurableLog Events { get; }

    public DurableStore Store { get; }

    /// <summary>Rows so far, in this life or a former one.</summary>
    public int Rows { get; private set; }

    public static IProgress<BackupProgress> Silent { get; } = new NoProgress();

    /// <summary>Logs, stores and commits rows; with files and merges in between.</summary>
    public void Live(int rows)
    {
        for (int i = 0; i < rows; i++)
        {
            string text = Rows.ToString(CultureInfo.InvariantCulture);
            Assert.True(Log.TryAppend(1, Encoding.ASCII.GetBytes(text)).IsTaken);
            Append(Rows, Log.Status().NextId - 1);
            Rows++;
            if (Rows % 10 == 0)
            {
                Assert.Equal(CommitOutcome.Done, Log.Commit());
                Assert.True(Events.TryAppend(1, Encoding.ASCII.GetBytes(text)).IsTaken);
                Assert.Equal(CommitOutcome.Done, Events.Commit());
            }

            if (Rows % 35 == 0)
            {
                Assert.True(Store.Flush());
                Log.ReleaseUpTo(Store.DurableThrough(Log.Status().NextId - 1));
            }

            if (Rows % 90 == 0)
            {
                Assert.True(Store.MergeNow(new MergeJob(Segments.SegmentLevel.Window, Start, Start + MergePlanner.WindowMs, Pack: false)));
            }
        }

        Assert.Equal(CommitOutcome.Done, Log.Commit());
    }

    public BackupCut Cut()
    {
        BackupCut cut = new(Disk);
        cut.Add(StateRooms.Events, Events);
        cut.Add(StateRooms.Store, Store);
        cut.Add(StateRooms.Log, Log);
        return cut;
    }

    public static BackupOptions To(string target, bool single, BackupKey? key = null, bool linked = false) => new()
    {
        Target = target, IsSingleFile = single, Key = key, IsLinked = linked, Program = "test 1", NowUnixMs = Start,
    };

    public BackupIndex Backup(BackupOptions options)
    {
        using BackupCut cut = Cut();
        return BackupWriter.Write(Disk, cut, options, Silent, CancellationToken.None);
    }

    /// <summary>Fails unless the store has exactly the first so many rows.</summary>
    public void AssertHolds(int rows, string when)
    {
        using ISampleReader reader = Store.OpenReader();
        using SampleBuffer buffer = new();
        SortedDictionary<long, double> found = [];
        foreach (SeriesInfo series in Store.Match(Tsdb.Query.Selector.All, long.MinValue, long.MaxValue))
        {
            buffer.Clear();
            reader.Read(series, long.MinValue, long.MaxValue, buffer);
            for (int i = 0; i < buffer.Count; i++)
            {
                found.Add(buffer.Times[i] + (series.Metric == "b" ? 1 : 0), buffer.Values[i]); // rows are 1 s apart
            }
        }

        Assert.True(found.Count == 2 * rows, $"{when}: {found.Count} samples of {2 * rows}");
        for (int i = 0; i < rows; i++)
        {
            Assert.Equal(i, found[TimeOf(i)]);
            Assert.Equal(i * 0.5, found[TimeOf(i) + 1]);
        }
    }

    /// <summary>How many rows a log holds at its end, counted from the first of all.</summary>
    public int RowsInLog()
    {
        int last = -1;
        using JournalReader reader = Log.OpenReader(1);
        while (reader.TryRead(out JournalRecord record))
        {
            last = int.Parse(Encoding.ASCII.GetString(record.Payload), CultureInfo.InvariantCulture);
        }

        return last + 1;
    }

    public void Dispose()
    {
        Store.Dispose();
        Events.Dispose();
        Log.Dispose();
    }

    private static long TimeOf(int row) => Start + 1_000 + (row * 1_000L);

    private void Append(int row, ulong id)
    {
        SchemaHandle schema = Store.Schema(NodeNames[row % 2], "s", Gauge("a"), Gauge("b"));
        Store.Append(schema, TimeOf(row), [row, row * 0.5], AllPresent(2), id);
    }

    private void Replay()
    {
        using JournalReader reader = Log.OpenReader(1);
        while (reader.TryRead(out JournalRecord record))
        {
            Append(int.Parse(Encoding.ASCII.GetString(record.Payload), CultureInfo.InvariantCulture), record.Id);
        }

        Rows = RowsInLog();
    }

    private DurableLog Open(string directory)
    {
        JournalOptions options = new() { Directory = directory, SegmentBytes = 131_072, Commit = CommitPolicy.None, RetryDelay = TimeSpan.FromTicks(1) };
        Assert.True(DurableLog.TryOpen(options, Disk, TimeProvider.System, out DurableLog? log, out OpenError? error), error?.Message);
        return log;
    }

    private sealed class NoProgress : IProgress<BackupProgress>
    {
        public void Report(BackupProgress value)
        {
            Assert.InRange(value.DoneBytes, 0, value.TotalBytes);
            Assert.NotEmpty(value.File);
        }
    }
}
