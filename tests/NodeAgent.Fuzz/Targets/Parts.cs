using System.Buffers.Binary;

namespace NodeAgent.Fuzz.Targets;

/// <summary>Several messages in one input: each behind its length in two bytes, most significant first; the last may be cut.</summary>
internal static class Parts
{
    internal static byte[] Join(params IEnumerable<byte[]> parts) =>
        [.. parts.SelectMany(part => (byte[])[(byte)(part.Length >> 8), (byte)part.Length, .. part])];

    internal static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> part)
    {
        part = default;
        if (rest.Length < 2)
        {
            return false;
        }

        int length = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(rest), rest.Length - 2);
        part = rest.Slice(2, length);
        rest = rest[(2 + length)..];
        return true;
    }
}
