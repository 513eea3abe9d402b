using System.Buffers.Binary;
using NodeAgent.Journal.Reading;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests;

/// <summary>
/// A journal on a simulated disk together with what must be true of it: the payload of a record follows from its id and a tag of the
/// life that wrote it, so whatever is read can be checked without having been kept.
/// </summary>
internal sealed class JournalBench(int seed)
{
    public const string Directory = "/journal";

    private static readonly Guid s_journalId = new("a7c1d0b6-5f3e-4a51-9d34-0c2b8e6f7a10");

    public SimulatedDisk Disk { get; } = new(seed);

    public SimulatedTime Time { get; } = new();

    public JournalOptions Options { get; set; } = new()
    {
        Directory = Directory,
        JournalId = s_journalId,
        SegmentBytes = 128 * 1024,
        MaxRecordBytes = 100_000,
        MaxPendingBytes = 1024 * 1024,
        Commit = CommitPolicy.None,
    };

    /// <summary>Payload and type of every record that was taken, by id; a later life may take an id again that never became durable.</summary>
    public Dictionary<ulong, (byte Type, byte[] Payload)> Taken { get; } = [];

    /// <summary>Ids that an earlier opening reported as lost.</summary>
    public HashSet<ulong> KnownLost { get; } = [];

    public DurableLog Open()
    {
        Assert.True(DurableLog.TryOpen(Options, Disk, Time, out DurableLog? log, out OpenError? error), error?.Message);
        return log!;
    }

    public AppendResult Append(DurableLog log, int payloadBytes, int tag = 0)
    {
        ulong id = log.Status().NextId;
        byte[] payload = Payload(id, payloadBytes, tag);
        AppendResult result = log.TryAppend((byte)(id % 251), payload);
        if (result.IsTaken)
        {
            Assert.Equal(id, result.Id);
            Taken[id] = ((byte)(id % 251), payload);
        }

        return result;
    }

    public void AppendMany(DurableLog log, int count, int payloadBytes)
    {
        for (int i = 0; i < count; i++) Assert.True(Append(log, payloadBytes).IsTaken);
        Assert.Equal(CommitOutcome.Done, log.Commit());
    }

    /// <summary>Reads all there is and compares each record with what was written. Returns the ids.</summary>
    public List<ulong> ReadAll(DurableLog log, ulong fromId = 1, ReadLimit limit = ReadLimit.Durable)
    {
        using JournalReader reader = log.OpenReader(fromId, limit);
        return ReadOn(reader);
    }

    public List<ulong> ReadOn(JournalReader reader)
    {
        var ids = new List<ulong>();
        while (reader.TryRead(out JournalRecord record))
        {
            Assert.True(Taken.TryGetValue(record.Id, out (byte Type, byte[] Payload) written), $"record {record.Id} was never written");
            Assert.Equal(written.Type, record.Type);
            Assert.True(record.Payload.SequenceEqual(written.Payload), $"record {record.Id} is not what was written");
            Assert.True(ids.Count == 0 || record.Id > ids[^1], $"record {record.Id} after {(ids.Count == 0 ? 0 : ids[^1])}");
            ids.Add(record.Id);
        }

        return ids;
    }

    public List<string> Segments() => [.. Disk.Paths.Where(path => path.EndsWith(".segment", StringComparison.Ordinal))];

    /// <summary>Bytes that follow from the id, the length and the tag, and from nothing that a library may change.</summary>
    private static byte[] Payload(ulong id, int length, int tag)
    {
        // splitmix64 (Steele, Lea and Flood 2014).
        ulong state = (id << 32) ^ ((ulong)(uint)length << 8) ^ (uint)tag;
        var payload = new byte[length];
        Span<byte> rest = payload;
        Span<byte> word = stackalloc byte[8];
        while (rest.Length > 0)
        {
            state += 0x9E3779B97F4A7C15;
            ulong mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            BinaryPrimitives.WriteUInt64LittleEndian(word, mixed ^ (mixed >> 31));
            int size = Math.Min(rest.Length, word.Length);
            word[..size].CopyTo(rest);
            rest = rest[size..];
        }

        return payload;
    }
}
