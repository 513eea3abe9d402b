using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Fuzz.Targets;

/// <summary>A journal's segment as a disk may hand it back: records come as they were written, or not at all.</summary>
internal sealed class SegmentTarget : Engine.IFuzzTarget
{
    private const string Path = "/segment";
    private static readonly Guid JournalId = new("a7c1d0b6-5f3e-4a51-9d34-0c2b8e6f7a10");

    public string Name => "segment";

    public IReadOnlyList<byte[]> Seeds { get; } = [Segment(30, 100), Segment(5, 9000)];

    public void Run(ReadOnlySpan<byte> input)
    {
        SimulatedDisk disk = new(1);
        disk.PutFile(Path, input);
        SegmentReader reader = new(disk);
        Invariant.Holds(reader.Open(Path, 1, JournalId).Ok, "a file that is there opens");
        while (reader.TryRead(version: 1))
        {
            Invariant.Holds(IsWhole(reader.Type, reader.Payload), "a record has the bytes it was written with");
        }

        Invariant.Holds(reader.Error is null, "a healthy disk gives no error");
        Invariant.Holds(reader.ValidEnd <= input.Length, "nothing valid lies behind the end");
        reader.Close();
    }

    // A payload follows from its type, so pieces of two records that were joined show.
    private static bool IsWhole(byte type, ReadOnlySpan<byte> payload)
    {
        for (int i = 0; i < payload.Length; i++)
        {
            if (payload[i] != (byte)(type + i))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[] Segment(int records, int payloadBytes)
    {
        SimulatedDisk disk = new(1);
        JournalOptions options = new()
        {
            Directory = "/journal",
            JournalId = JournalId,
            SegmentBytes = 128 * 1024,
            MaxRecordBytes = 100_000,
            MaxPendingBytes = 1024 * 1024,
            Commit = Journal.Writing.CommitPolicy.None,
        };
        Invariant.Holds(DurableLog.TryOpen(options, disk, new SimulatedTime(), out DurableLog? log, out OpenError? error), error?.Message ?? "");
        using (log)
        {
            for (int i = 0; i < records; i++)
            {
                log!.TryAppend((byte)i, [.. Enumerable.Range(i, payloadBytes).Select(b => (byte)b)]);
            }

            log!.Commit();
        }

        return disk.ReadFile(disk.Paths.First(path => path.EndsWith(".segment", StringComparison.Ordinal)));
    }
}
