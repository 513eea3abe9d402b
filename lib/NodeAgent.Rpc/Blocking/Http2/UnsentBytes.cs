using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>The rest of one message that waits for credit. Takes memory only while there is one.</summary>
internal sealed class UnsentBytes
{
    private readonly GrowingBuffer _buffer = new();
    private int _sent;

    internal int Length => _buffer.Length - _sent;

    internal ReadOnlySpan<byte> Span => _buffer.WrittenSpan[_sent..];

    internal void Add(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    internal void Consume(int count)
    {
        _sent += count;
        if (Length == 0)
        {
            Clear();
        }
    }

    internal void Clear()
    {
        _buffer.Release();
        _sent = 0;
    }
}
