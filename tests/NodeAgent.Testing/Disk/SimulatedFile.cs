using NodeAgent.Journal.Files;

namespace NodeAgent.Testing.Disk;

/// <summary>
/// A file in two versions: what readers see (the page cache) and what is on the platter, with the changes between them. A crash keeps of
/// those changes what it likes.
/// </summary>
internal sealed class SimulatedFile
{
    private const int SectorBytes = 512;

    private readonly List<Change> _unsynced = [];
    private byte[] _cached = [];
    private byte[] _durable = [];

    public long Length { get; private set; }

    private long DurableLength { get; set; }

    public int Read(Span<byte> destination, long offset)
    {
        int count = (int)Math.Clamp(Length - offset, 0, destination.Length);
        if (count > 0) _cached.AsSpan((int)offset, count).CopyTo(destination);
        return count;
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset) => Apply(new Change(offset, bytes.ToArray(), 0));

    public void Truncate(long length) => Apply(new Change(-1, null, length));

    public void Flip(long offset, int bit)
    {
        _cached[offset] ^= (byte)(1 << bit);
        if (offset < DurableLength) _durable[offset] ^= (byte)(1 << bit);
    }

    /// <summary>Stores the changes since the last sync, and only those: what a failed one forgot stays forgotten.</summary>
    public void Sync()
    {
        foreach (Change change in _unsynced)
        {
            ApplyTo(change, ref _durable, DurableLength, out long length, null, tear: false);
            DurableLength = length;
        }

        _unsynced.Clear();
    }

    /// <summary>
    /// What Linux does when writing back fails: the pages are marked clean and go on being read, but were never stored. A later sync
    /// has nothing left to do and succeeds.
    /// </summary>
    public void FailSync(Random random)
    {
        foreach (Change change in _unsynced)
        {
            if (random.Next(2) == 0) continue;
            ApplyTo(change, ref _durable, DurableLength, out long length, random, tear: true);
            DurableLength = length;
        }

        _unsynced.Clear();
    }

    /// <summary>Power is cut: each unsynced change survives, is torn or is lost, whatever became of those before it.</summary>
    public void Crash(Random random)
    {
        int mood = random.Next(4); // 0 all lost, 1 all kept, else each by itself
        foreach (Change change in _unsynced)
        {
            bool kept = mood == 1 || (mood > 1 && random.Next(2) == 0);
            if (!kept) continue;
            ApplyTo(change, ref _durable, DurableLength, out long length, random, tear: mood > 1 && random.Next(2) == 0);
            DurableLength = length;
        }

        _unsynced.Clear();
        _cached = _durable.AsSpan(0, (int)DurableLength).ToArray();
        Length = DurableLength;
    }

    public byte[] Snapshot() => _cached.AsSpan(0, (int)Length).ToArray();

    private void Apply(Change change)
    {
        _unsynced.Add(change);
        ApplyTo(change, ref _cached, Length, out long length, null, tear: false);
        Length = length;
    }

    private static void ApplyTo(
        Change change, ref byte[] bytes, long oldLength, out long newLength, Random? random, bool tear)
    {
        if (change.Bytes is null)
        {
            newLength = change.Length;
            Ensure(ref bytes, newLength);
            // What was cut off comes back as zeros if the file grows again.
            if (newLength < oldLength) Array.Clear(bytes, (int)newLength, (int)(oldLength - newLength));
            return;
        }

        newLength = Math.Max(oldLength, change.Offset + change.Bytes.Length);
        Ensure(ref bytes, newLength);
        if (!tear || random is null)
        {
            change.Bytes.CopyTo(bytes, change.Offset);
            return;
        }

        Tear(change, bytes, random, ref newLength, oldLength);
    }

    private static void Tear(Change change, byte[] bytes, Random random, ref long newLength, long oldLength)
    {
        if (random.Next(2) == 0)
        {
            // Only the beginning arrived, down to any byte.
            int kept = random.Next(change.Bytes!.Length);
            change.Bytes.AsSpan(0, kept).CopyTo(bytes.AsSpan((int)change.Offset));
            newLength = Math.Max(oldLength, change.Offset + kept);
            return;
        }

        // Some sectors arrived, in no order.
        for (long start = change.Offset; start < change.Offset + change.Bytes!.Length;)
        {
            long end = Math.Min(change.Offset + change.Bytes.Length, (start / SectorBytes * SectorBytes) + SectorBytes);
            if (random.Next(2) == 0) change.Bytes.AsSpan((int)(start - change.Offset), (int)(end - start)).CopyTo(bytes.AsSpan((int)start));
            start = end;
        }
    }

    private static void Ensure(ref byte[] bytes, long length)
    {
        if (bytes.Length < length) Array.Resize(ref bytes, (int)Math.Max(length, Math.Min(2L * bytes.Length, 1 << 28)));
    }

    /// <summary>A write, or (without bytes) a new length.</summary>
    private readonly record struct Change(long Offset, byte[]? Bytes, long Length);
}
