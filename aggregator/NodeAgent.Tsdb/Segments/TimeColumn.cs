using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Tiers;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// The times of some rows, in chunks, shared by all series that have exactly these rows. Chunks are decoded when they are first needed.
/// Layout: number of chunks; per chunk its rows, first time, last less first time, bytes; then the chunks' bytes one behind the other.
/// </summary>
internal sealed class TimeColumn
{
    private readonly byte[] _bytes;
    private readonly Chunk[] _chunks;
    private readonly long[]?[] _times;
    private readonly TierTimes?[] _tierTimes;

    private TimeColumn(byte[] bytes, Chunk[] chunks)
    {
        _bytes = bytes;
        _chunks = chunks;
        _times = new long[]?[chunks.Length];
        _tierTimes = new TierTimes?[chunks.Length];
    }

    public int Count => _chunks.Length;

    public ref readonly Chunk this[int index] => ref _chunks[index];

    /// <summary>Rows of the chunks that reach into (from, to].</summary>
    public int RowsIn(long fromUnixMs, long toUnixMs)
    {
        int rows = 0;
        foreach (ref readonly Chunk chunk in _chunks.AsSpan())
        {
            rows += chunk.LastUnixMs > fromUnixMs && chunk.FirstUnixMs <= toUnixMs ? chunk.Rows : 0;
        }

        return rows;
    }

    /// <exception cref="InvalidDataException">The bytes make no sense.</exception>
    public static TimeColumn Parse(ReadOnlySpan<byte> run)
    {
        ChunkReader reader = new(run);
        ulong count = reader.ReadUnsigned();
        if (count > (ulong)run.Length)
        {
            throw new InvalidDataException($"A time column claims {count} chunks.");
        }

        Chunk[] chunks = new Chunk[count];
        int offset = 0;
        for (int i = 0; i < chunks.Length; i++)
        {
            int rows = checked((int)reader.ReadUnsigned());
            long first = reader.ReadSigned();
            long last = first + (long)reader.ReadUnsigned();
            int bytes = checked((int)reader.ReadUnsigned());
            if (rows is < 1 or > IntegerCodec.MaxCount)
            {
                throw new InvalidDataException($"A chunk of a time column claims {rows} rows.");
            }

            chunks[i] = new Chunk(rows, first, last, offset, bytes);
            offset += bytes;
        }

        byte[] rest = reader.Take(offset).ToArray();
        return new TimeColumn(rest, chunks);
    }

    /// <summary>The times of a chunk, ascending.</summary>
    public ReadOnlySpan<long> TimesOf(int index)
    {
        long[]? times = _times[index];
        if (times is null)
        {
            ref readonly Chunk chunk = ref _chunks[index];
            times = GC.AllocateUninitializedArray<long>(chunk.Rows);
            ChunkReader reader = new(BytesOf(index));
            IntegerCodec.Decode(ref reader, times);
            _times[index] = times;
        }

        return times;
    }

    /// <summary>What a chunk of a tier's time column says; see <see cref="TierCodec"/>.</summary>
    public TierTimes TierTimesOf(int index)
    {
        if (_tierTimes[index] is not { } times)
        {
            int rows = _chunks[index].Rows;
            times = new TierTimes(new long[rows], new long[rows], new long[rows], new long[rows]);
            ChunkReader reader = new(BytesOf(index));
            IntegerCodec.Decode(ref reader, times.Ends);
            IntegerCodec.Decode(ref reader, times.Firsts);
            IntegerCodec.Decode(ref reader, times.Lasts);
            IntegerCodec.Decode(ref reader, times.Counts);
            _tierTimes[index] = times;
        }

        return times;
    }

    public ReadOnlySpan<byte> BytesOf(int index) => _bytes.AsSpan(_chunks[index].Offset, _chunks[index].Bytes);

    /// <summary>Rows of one stretch of time.</summary>
    /// <param name="Rows">1 to <see cref="IntegerCodec.MaxCount"/>.</param>
    /// <param name="FirstUnixMs">Of the first.</param>
    /// <param name="LastUnixMs">Of the last.</param>
    /// <param name="Offset">Of its bytes.</param>
    /// <param name="Bytes">Their number.</param>
    internal readonly record struct Chunk(int Rows, long FirstUnixMs, long LastUnixMs, int Offset, int Bytes);

    /// <summary>Collects chunks for a run.</summary>
    internal sealed class Builder
    {
        private readonly ChunkWriter _heads = new();
        private readonly ChunkWriter _bodies = new();
        private int _count;

        public void Clear()
        {
            _heads.Clear();
            _bodies.Clear();
            _count = 0;
        }

        public void Add(int rows, long firstUnixMs, long lastUnixMs, ReadOnlySpan<byte> bytes)
        {
            _heads.WriteUnsigned((ulong)rows);
            _heads.WriteSigned(firstUnixMs);
            _heads.WriteUnsigned((ulong)(lastUnixMs - firstUnixMs));
            _heads.WriteUnsigned((ulong)bytes.Length);
            _bodies.Write(bytes);
            _count++;
        }

        public void WriteTo(ChunkWriter run)
        {
            run.WriteUnsigned((ulong)_count);
            run.Write(_heads.Written);
            run.Write(_bodies.Written);
        }
    }
}
