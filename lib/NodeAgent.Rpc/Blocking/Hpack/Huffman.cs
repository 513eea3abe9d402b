namespace NodeAgent.Rpc.Blocking.Hpack;

/// <summary>
/// The Huffman code of RFC 7541, appendix B, decoded bit by bit: headers come once a stream, so small tables beat fast ones. The code is
/// canonical (codes of one length rise with the symbol), so the lengths say everything.
/// </summary>
internal static class Huffman
{
    private const int LongestCode = 30;
    private const int EndOfString = 256;

    // Bits of each symbol's code, from 0 to 255 and the end of string.
    private static ReadOnlySpan<byte> Lengths =>
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    private static readonly Code[] Codes = new Code[LongestCode + 1];
    private static readonly ushort[] Symbols = new ushort[EndOfString + 1];

    static Huffman()
    {
        uint next = 0;
        int offset = 0;
        for (int length = 1; length <= LongestCode; length++)
        {
            int first = offset;
            for (int symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (Lengths[symbol] == length)
                {
                    Symbols[offset++] = (ushort)symbol;
                }
            }

            Codes[length] = new Code(next, (uint)(offset - first), first);
            next = (next + (uint)(offset - first)) << 1;
        }
    }

    /// <summary>Appends the text to the target, which must have room for <see cref="MaxDecodedLength"/>. -1: not a valid encoding (an
    /// end-of-string symbol inside, or padding that is longer than seven bits or not all ones).</summary>
    internal static int Decode(ReadOnlySpan<byte> encoded, Span<byte> target)
    {
        int written = 0;
        uint code = 0;
        int length = 0;
        foreach (byte b in encoded)
        {
            for (int bit = 7; bit >= 0; bit--)
            {
                code = (code << 1) | (uint)((b >> bit) & 1);
                length++;
                if (length > LongestCode)
                {
                    return -1;
                }

                Code row = Codes[length];
                if (code - row.First >= row.Count)
                {
                    continue;
                }

                int symbol = Symbols[row.Offset + (int)(code - row.First)];
                if (symbol == EndOfString)
                {
                    return -1;
                }

                target[written++] = (byte)symbol;
                code = 0;
                length = 0;
            }
        }

        // What is left is padding: the first bits of the end-of-string symbol, which are ones (RFC 7541, section 5.2).
        return length <= 7 && code == (1u << length) - 1 ? written : -1;
    }

    /// <summary>The shortest code has five bits.</summary>
    internal static int MaxDecodedLength(int encodedLength) => (encodedLength * 8 / 5) + 1;

    /// <summary>The codes of one length: their first, how many they are, and where their symbols begin.</summary>
    private readonly record struct Code(uint First, uint Count, int Offset);
}
