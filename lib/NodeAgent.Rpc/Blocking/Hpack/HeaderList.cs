using System.Text;

namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>The fields of one decoded header block, in order. Reused from block to block; keeps nothing past its limit.</summary>
internal sealed class HeaderList(int maxBytes)
{
    // RFC 9113, section 6.5.2: how the size of a header list is counted.
    private const int FieldOverhead = 32;

    private readonly List<(int NameLength, int ValueLength)> _fields = [];
    private byte[] _bytes = new byte[512];
    private int _length;
    private long _counted;

    internal int Count => _fields.Count;

    /// <summary>More came than the limit; the fields past it are not here.</summary>
    internal bool IsTooLarge => _counted > maxBytes;

    internal void Clear()
    {
        _fields.Clear();
        _length = 0;
        _counted = 0;
    }

    internal void Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        _counted += name.Length + value.Length + FieldOverhead;
        if (IsTooLarge)
        {
            return;
        }

        if (_bytes.Length - _length < name.Length + value.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _length + name.Length + value.Length));
        }

        name.CopyTo(_bytes.AsSpan(_length));
        value.CopyTo(_bytes.AsSpan(_length + name.Length));
        _length += name.Length + value.Length;
        _fields.Add((name.Length, value.Length));
    }

    public Enumerator GetEnumerator() => new(this);

    /// <summary>The first value with this lower-case name, as Latin-1 text; null where there is none.</summary>
    internal string? Find(ReadOnlySpan<byte> name)
    {
        foreach (Field field in this)
        {
            if (field.Name.SequenceEqual(name))
            {
                return Encoding.Latin1.GetString(field.Value);
            }
        }

        return null;
    }

    internal readonly ref struct Field(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        internal ReadOnlySpan<byte> Name { get; } = name;

        internal ReadOnlySpan<byte> Value { get; } = value;
    }

    internal ref struct Enumerator(HeaderList list)
    {
        private int _index = -1;
        private int _start;

        public readonly Field Current
        {
            get
            {
                (int name, int value) = list._fields[_index];
                return new Field(list._bytes.AsSpan(_start, name), list._bytes.AsSpan(_start + name, value));
            }
        }

        public bool MoveNext()
        {
            if (_index >= 0)
            {
                (int name, int value) = list._fields[_index];
                _start += name + value;
            }

            return ++_index < list._fields.Count;
        }
    }
}
