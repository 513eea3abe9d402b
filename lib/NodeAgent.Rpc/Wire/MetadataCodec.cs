using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>Metadata as HTTP header values: text as it is, bytes as base64 (padding optional, several values joined by commas).</summary>
internal static class MetadataCodec
{
    /// <summary>The value as it goes into a header. Padding is left off, as the specification prefers.</summary>
    internal static string EncodeValue(Metadata.Entry entry) =>
        entry.IsBinary ? Convert.ToBase64String(entry.BinaryValue).TrimEnd('=') : entry.Value;

    /// <summary>Adds what a header holds. A binary value that is no base64 is left out: the peer broke it, the call need not
    /// fail.</summary>
    /// <returns>False when the value was left out.</returns>
    internal static bool TryDecode(string name, string value, Metadata into)
    {
        if (!IsValidName(name))
        {
            return false;
        }

        if (!name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.OrdinalIgnoreCase))
        {
            into.Add(name, value);
            return true;
        }

        bool ok = true;
        foreach (Range range in value.AsSpan().Split(','))
        {
            ok &= TryDecodeBinary(name, value.AsSpan(range).Trim(), into);
        }

        return ok;
    }

    private static bool TryDecodeBinary(string name, ReadOnlySpan<char> value, Metadata into)
    {
        Span<char> padded = new char[value.Length + 3];
        value.CopyTo(padded);
        int length = value.Length;
        while (length % 4 != 0 && length < value.Length + 2)
        {
            padded[length++] = '=';
        }

        byte[] bytes = new byte[length / 4 * 3];
        if (!Convert.TryFromBase64Chars(padded[..length], bytes, out int written))
        {
            return false;
        }

        into.Add(name, bytes[..written]);
        return true;
    }

    private static bool IsValidName(string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
            {
                return false;
            }
        }

        return name.Length > 0;
    }
}
