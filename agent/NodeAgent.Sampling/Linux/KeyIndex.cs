namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Finds the column of a key in kernel text of "key value" lines. The kernel prints the same keys in the same order every time,
/// so the key after the last one found is tried first and a lookup is one comparison. Bounded: hostile text cannot grow it
/// beyond its limit.
/// </summary>
/// <param name="maxKeys">Keys beyond these are refused.</param>
internal sealed class KeyIndex(int maxKeys = 512)
{
    private readonly List<byte[]> _keys = [];
    private readonly List<int> _columns = [];
    private int _next;

    public int Count => _keys.Count;

    /// <summary>Starts again at the first key; call before each pass over the text.</summary>
    public void Begin() => _next = 0;

    public void Clear()
    {
        _keys.Clear();
        _columns.Clear();
        _next = 0;
    }

    /// <summary>Adds a key with its column; -1 marks one that is known and not wanted. False: the limit is reached.</summary>
    public bool TryAdd(ReadOnlySpan<byte> key, int column)
    {
        if (_keys.Count >= maxKeys)
        {
            return false;
        }

        _keys.Add(key.ToArray());
        _columns.Add(column);
        return true;
    }

    /// <summary>False: the key was never added.</summary>
    public bool TryFind(ReadOnlySpan<byte> key, out int column)
    {
        int count = _keys.Count;
        for (int i = 0, at = _next; i < count; i++, at++)
        {
            if (at >= count)
            {
                at = 0;
            }

            if (_keys[at].AsSpan().SequenceEqual(key))
            {
                _next = at + 1;
                column = _columns[at];
                return true;
            }
        }

        column = -1;
        return false;
    }
}
