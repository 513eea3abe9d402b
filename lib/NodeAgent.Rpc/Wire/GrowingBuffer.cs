using System.Buffers;

namespace NodeAgent.Rpc.Wire;

/// <summary>
/// One contiguous buffer that a stream keeps for its messages, so that steady traffic allocates nothing.
/// One user at a time; nobody may hold its memory past <see cref="Reset"/>.
/// </summary>
internal sealed class GrowingBuffer : IBufferWriter<byte>
{
    // A stream that once sent 4 MiB must not hold 4 MiB for ever; ordinary frames (a few KiB) never give their buffer back.
    private const int KeepAtMost = 64 * 1024;
    private const int Smallest = 256;

    private byte[] _bytes = [];

    /// <summary>Bytes written so far.</summary>
    internal int Length { get; private set; }

    internal ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, Length);

    internal Span<byte> WrittenSpan => _bytes.AsSpan(0, Length);

    /// <inheritdoc/>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _bytes.Length - Length);
        Length += count;
    }

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        EnsureFree(Math.Max(sizeHint, 1));
        return _bytes.AsMemory(Length);
    }

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0)
    {
        EnsureFree(Math.Max(sizeHint, 1));
        return _bytes.AsSpan(Length);
    }

    internal void Write(ReadOnlySpan<byte> source)
    {
        source.CopyTo(GetSpan(source.Length));
        Length += source.Length;
    }

    /// <summary>Makes room once, where the size is known.</summary>
    internal void EnsureFree(int count)
    {
        if (_bytes.Length - Length >= count)
        {
            return;
        }

        int wanted = checked(Length + count);
        int doubled = (int)Math.Min(2L * _bytes.Length, Array.MaxLength);
        byte[] larger = ArrayPool<byte>.Shared.Rent(Math.Max(wanted, Math.Max(Smallest, doubled)));
        _bytes.AsSpan(0, Length).CopyTo(larger);
        Return();
        _bytes = larger;
    }

    /// <summary>Starts over. Only when nobody reads the memory any more.</summary>
    internal void Reset()
    {
        Length = 0;
        if (_bytes.Length > KeepAtMost)
        {
            Return();
        }
    }

    /// <summary>Gives the memory back to the pool. Only when nobody reads it any more.</summary>
    internal void Release()
    {
        Length = 0;
        Return();
    }

    private void Return()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}
