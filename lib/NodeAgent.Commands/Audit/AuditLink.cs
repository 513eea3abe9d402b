using System.Buffers.Binary;
using System.Security.Cryptography;

namespace NodeAgent.Commands.Audit;

/// <summary>
/// The bytes of one link: the hash of the record before, the hash of this one, the record (docs/formats/audit.md). Both hashes stand there,
/// so that a record can be checked alone, and each neighbour against it.
/// </summary>
internal static class AuditLink
{
    internal const int HashBytes = SHA256.HashSizeInBytes;

    internal const int HeaderBytes = 2 * HashBytes;

    /// <summary>The chain's own record: everything through an index may be gone from here on.</summary>
    internal const byte ReleaseType = 255;

    internal const int ReleaseBytes = sizeof(ulong) + HashBytes;

    private static ReadOnlySpan<byte> Domain => "nodeagent.audit.v1\0"u8;

    /// <summary>What stands before the first record: a chain belongs to one owner, so nobody's can be shown as another's.</summary>
    internal static byte[] Genesis(Guid owner)
    {
        byte[] bytes = [.. Domain, .. owner.ToByteArray(bigEndian: true)];
        return SHA256.HashData(bytes);
    }

    internal static void Hash(ReadOnlySpan<byte> previous, ulong index, byte type, ReadOnlySpan<byte> record, Span<byte> hash)
    {
        Span<byte> position = stackalloc byte[sizeof(ulong) + 1];
        BinaryPrimitives.WriteUInt64LittleEndian(position, index);
        position[sizeof(ulong)] = type;
        using IncrementalHash sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(previous);
        sha.AppendData(position);
        sha.AppendData(record);
        sha.GetHashAndReset(hash);
    }

    internal static byte[] Encode(ReadOnlySpan<byte> previous, ulong index, byte type, ReadOnlySpan<byte> record)
    {
        byte[] bytes = new byte[HeaderBytes + record.Length];
        previous.CopyTo(bytes);
        Hash(previous, index, type, record, bytes.AsSpan(HashBytes, HashBytes));
        record.CopyTo(bytes.AsSpan(HeaderBytes));
        return bytes;
    }

    internal static byte[] EncodeRelease(ulong through, ReadOnlySpan<byte> hash)
    {
        byte[] bytes = new byte[ReleaseBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, through);
        hash.CopyTo(bytes.AsSpan(sizeof(ulong)));
        return bytes;
    }
}
