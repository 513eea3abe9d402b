namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>Received bytes that are not yet whole frames. Grows to what a peer may send in one frame and no further.</summary>
internal sealed class InputBuffer
{
    // Acknowledgements are a few dozen bytes; an agent that only ever gets those should not hold more.
    private const int Smallest = 2 * 1024;

    private int _start;
    private int _end;

    internal byte[] Array { get; private set; } = new byte[Smallest];

    /// <summary>Where the next received byte goes.</summary>
    internal int Offset => _end;

    internal int Free => Array.Length - _end;

    internal ReadOnlySpan<byte> Received => Array.AsSpan(_start, _end - _start);

    /// <summary>Makes room for so many more bytes. Nobody may hold <see cref="Received"/> across this.</summary>
    internal void EnsureFree(int count)
    {
        if (Free >= count)
        {
            return;
        }

        int length = _end - _start;
        byte[] target = length + count <= Array.Length ? Array : new byte[Math.Max(2 * Array.Length, length + count)];
        Received.CopyTo(target);
        Array = target;
        (_start, _end) = (0, length);
    }

    internal void Commit(int count) => _end += count;

    internal void Consume(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }
}
