using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool;

/// <summary>Everything ever appended, kept for ever: what the spool says is compared with what it must say by its interface.</summary>
internal sealed class SpoolModel(MemorySpool spool, long capacity)
{
    private readonly List<(byte[] Bytes, RecordKind Kind, bool IsOversized)> _all = [];
    private readonly HashSet<ulong> _acknowledged = [];
    private ulong _held = 1; // all before it was acknowledged or dropped
    private ulong _dropped;
    private byte[] _buffer = new byte[16];

    internal MemorySpool Spool => spool;

    private ulong Next => (ulong)_all.Count + 1;

    internal void Append(Random random, int length, RecordKind kind)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        ulong firstBefore = spool.FirstHeldSequence;
        bool isOversized = length > capacity;
        bool taken = spool.Append(bytes, kind);
        _all.Add((bytes, isOversized ? RecordKind.Single : kind, isOversized));
        CountLost(firstBefore);
        _dropped += isOversized ? 1UL : 0;
        bool canBeRead = !isOversized && (kind != RecordKind.Frame || HeldKeyAtOrBefore(Next - 1) != 0);
        Assert.Equal(canBeRead, taken);
    }

    internal void Acknowledge(ulong first, ulong last)
    {
        ulong firstBefore = spool.FirstHeldSequence;
        spool.Acknowledge(first, last);
        for (ulong sequence = first; sequence <= Math.Min(last, Next - 1); sequence++)
        {
            _acknowledged.Add(sequence);
        }

        _held = Math.Max(_held, firstBefore);
        while (_acknowledged.Contains(_held))
        {
            _held++;
        }

        Assert.Equal(ExpectedStart(_held - 1, firstBefore), spool.FirstHeldSequence);
    }

    internal void CheckOne(Random random)
    {
        Assert.Equal(Next, spool.NextSequence);
        Assert.Equal(_dropped, spool.Counts.DroppedRecords);
        Assert.InRange(spool.HeldBytes, 0, capacity);
        ulong asked = (ulong)random.NextInt64(0, (long)Next + 2);
        Assert.Equal(ExpectedStart(asked, spool.FirstHeldSequence), spool.StartAfter(asked));
        CheckRead((ulong)random.NextInt64(0, (long)Next + 2));
    }

    internal void CheckAll()
    {
        long held = 0;
        for (ulong sequence = spool.FirstHeldSequence; sequence < Next; sequence++)
        {
            CheckRead(sequence);
            held += Of(sequence).IsOversized ? 0 : Of(sequence).Bytes.Length;
        }

        Assert.Equal(held, spool.HeldBytes);
    }

    private void CheckRead(ulong wanted)
    {
        ulong expected = Math.Max(wanted, spool.FirstHeldSequence);
        while (expected < Next && Of(expected).IsOversized)
        {
            expected++;
        }

        ulong sequence = wanted;
        bool found = spool.TryRead(ref sequence, ref _buffer, out int length);
        Assert.Equal(expected < Next, found);
        if (found)
        {
            Assert.Equal(expected, sequence);
            Assert.True(Of(sequence).Bytes.AsSpan().SequenceEqual(_buffer.AsSpan(0, length)), $"record {sequence} reads back changed");
        }
    }

    private void CountLost(ulong firstBefore)
    {
        ulong first = spool.FirstHeldSequence;
        for (ulong sequence = firstBefore; sequence < first; sequence++)
        {
            _dropped += !_acknowledged.Contains(sequence) && !Of(sequence).IsOversized ? 1UL : 0;
        }

        // Whole runs go: what is left starts at a key frame, or is only the record that needed the room.
        Assert.True(first == firstBefore || first == Next - 1 || Of(first).Kind == RecordKind.KeyFrame, $"a run was cut at {first}");
    }

    private ulong ExpectedStart(ulong acknowledged, ulong first)
    {
        ulong key = HeldKeyAtOrBefore(Math.Min(acknowledged + 1, Next - 1), first);
        return key == 0 ? first : key;
    }

    private ulong HeldKeyAtOrBefore(ulong sequence) => HeldKeyAtOrBefore(sequence, spool.FirstHeldSequence);

    private ulong HeldKeyAtOrBefore(ulong sequence, ulong first)
    {
        for (ulong key = sequence; key >= first && key > 0; key--)
        {
            if (Of(key).Kind == RecordKind.KeyFrame)
            {
                return key;
            }
        }

        return 0;
    }

    private (byte[] Bytes, RecordKind Kind, bool IsOversized) Of(ulong sequence) => _all[(int)sequence - 1];
}
