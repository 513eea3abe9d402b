using System.Text;

namespace NodeAgent.Rpc.Wire;

/// <summary>
/// The encoding of grpc-message: UTF-8 with every byte outside space..tilde, and the percent sign, as %XX.
/// Decoding never fails: what is no valid escape stays as it is, because a broken detail must not hide the status.
/// </summary>
internal static class PercentEncoding
{
    internal static string Encode(string text)
    {
        int first = IndexOfUnsafe(text);
        if (first < 0)
        {
            return text;
        }

        StringBuilder encoded = new(text.Length + 16);
        encoded.Append(text, 0, first);
        foreach (byte b in Encoding.UTF8.GetBytes(text[first..]))
        {
            if (IsSafe((char)b))
            {
                encoded.Append((char)b);
            }
            else
            {
                encoded.Append('%').Append(b.ToString("X2", null));
            }
        }

        return encoded.ToString();
    }

    internal static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
        {
            return text;
        }

        byte[] bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes[length++] = (byte)((HexValue(text[i + 1]) << 4) | HexValue(text[i + 2]));
                i += 2;
            }
            else
            {
                length += Encoding.UTF8.GetBytes(text.AsSpan(i, 1), bytes.AsSpan(length));
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static int IndexOfUnsafe(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (!IsSafe(text[i]))
            {
                return i;
            }
        }

        return -1;
    }

    private static bool IsSafe(char c) => c is >= ' ' and <= '~' and not '%';

    private static int HexValue(char c) => char.IsAsciiDigit(c) ? c - '0' : char.ToUpperInvariant(c) - 'A' + 10;
}
