namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>The fields that the peer asked us to remember, newest first (RFC 7541, section 2.3.2).</summary>
internal sealed class HpackDynamicTable
{
    /// <summary>The size that holds until our SETTINGS say otherwise (RFC 9113, section 6.5.2).</summary>
    internal const int DefaultSize = 4096;

    private const int EntryOverhead = 32;

    private readonly List<HpackField> _oldestFirst = [];
    private int _size;
    private int _maxSize = DefaultSize;

    internal int Count => _oldestFirst.Count;

    /// <summary>0 is the newest.</summary>
    internal HpackField Get(int index) => _oldestFirst[^(index + 1)];

    internal void Resize(int maxSize)
    {
        _maxSize = maxSize;
        Evict(maxSize);
    }

    /// <summary>A field that is larger than the table empties it, which is no error.</summary>
    internal void Insert(HpackField field)
    {
        int size = SizeOf(field);
        Evict(_maxSize - size);
        if (size <= _maxSize)
        {
            _oldestFirst.Add(field);
            _size += size;
        }
    }

    private void Evict(int room)
    {
        int dropped = 0;
        while (_size > Math.Max(room, 0))
        {
            _size -= SizeOf(_oldestFirst[dropped++]);
        }

        _oldestFirst.RemoveRange(0, dropped);
    }

    private static int SizeOf(HpackField field) => field.Name.Length + field.Value.Length + EntryOverhead;
}
