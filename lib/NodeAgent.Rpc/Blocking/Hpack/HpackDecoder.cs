using NodeAgent.Rpc.Blocking.Http2;

namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>Header blocks of one connection, in the order in which they came: each may change how the next one reads (RFC 7541).</summary>
internal sealed class HpackDecoder
{
    private readonly HpackDynamicTable _table = new();
    private int _tableLimit = HpackDynamicTable.DefaultSize;
    private byte[] _nameText = new byte[128];
    private byte[] _valueText = new byte[256];

    /// <summary>The peer has acknowledged a SETTINGS_HEADER_TABLE_SIZE of this.</summary>
    internal void LimitTable(int maxSize)
    {
        _tableLimit = maxSize;
        _table.Resize(maxSize);
    }

    /// <summary>Adds the fields of a whole block to the list.</summary>
    /// <exception cref="Http2Exception">COMPRESSION_ERROR: the block is malformed, and with it every later one.</exception>
    internal void Decode(ReadOnlySpan<byte> block, HeaderList into)
    {
        bool mayResize = true;
        while (!block.IsEmpty)
        {
            byte first = block[0];
            if ((first & 0xE0) == 0x20)
            {
                Resize(ReadInteger(ref block, prefixBits: 5), mayResize);
                continue;
            }

            mayResize = false;
            if ((first & 0x80) != 0)
            {
                HpackField field = Lookup(ReadInteger(ref block, prefixBits: 7));
                into.Add(field.Name, field.Value);
            }
            else
            {
                ReadLiteral(ref block, remember: (first & 0x40) != 0, into);
            }
        }
    }

    private static Http2Exception Malformed(string what) => new(Http2Error.CompressionError, $"header block: {what}");

    private void Resize(int size, bool mayResize)
    {
        if (!mayResize || size > _tableLimit)
        {
            throw Malformed(mayResize ? $"table size {size} of at most {_tableLimit}" : "table size in the middle");
        }

        _table.Resize(size);
    }

    private void ReadLiteral(ref ReadOnlySpan<byte> block, bool remember, HeaderList into)
    {
        int index = ReadInteger(ref block, remember ? 6 : 4);
        ReadOnlySpan<byte> name = index == 0 ? ReadString(ref block, ref _nameText) : Lookup(index).Name;
        ReadOnlySpan<byte> value = ReadString(ref block, ref _valueText);
        into.Add(name, value);
        if (remember)
        {
            _table.Insert(new HpackField(name.ToArray(), value.ToArray()));
        }
    }

    private HpackField Lookup(int index)
    {
        if (index is >= 1 and <= HpackStaticTable.Count)
        {
            return HpackStaticTable.Get(index);
        }

        int dynamic = index - HpackStaticTable.Count - 1;
        return index != 0 && dynamic < _table.Count ? _table.Get(dynamic) : throw Malformed($"index {index}");
    }

    private static ReadOnlySpan<byte> ReadString(ref ReadOnlySpan<byte> block, ref byte[] text)
    {
        bool isHuffman = !block.IsEmpty && (block[0] & 0x80) != 0;
        int length = ReadInteger(ref block, prefixBits: 7);
        if (length > block.Length)
        {
            throw Malformed("a string longer than the block");
        }

        ReadOnlySpan<byte> raw = block[..length];
        block = block[length..];
        if (!isHuffman)
        {
            return raw;
        }

        if (text.Length < Huffman.MaxDecodedLength(length))
        {
            text = new byte[Huffman.MaxDecodedLength(length)];
        }

        int decoded = Huffman.Decode(raw, text);
        return decoded >= 0 ? text.AsSpan(0, decoded) : throw Malformed("a string that is no Huffman code");
    }

    // RFC 7541, section 5.1. Nothing in a block that we accept needs more than 28 bits.
    private static int ReadInteger(ref ReadOnlySpan<byte> block, int prefixBits)
    {
        if (block.IsEmpty)
        {
            throw Malformed("cut short");
        }

        int mask = (1 << prefixBits) - 1;
        int value = block[0] & mask;
        block = block[1..];
        if (value < mask)
        {
            return value;
        }

        for (int shift = 0; shift <= 21; shift += 7)
        {
            if (block.IsEmpty)
            {
                throw Malformed("cut short");
            }

            byte next = block[0];
            block = block[1..];
            value += (next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Malformed("a number beyond any limit");
    }
}
