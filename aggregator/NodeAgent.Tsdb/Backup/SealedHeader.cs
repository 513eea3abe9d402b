using System.Buffers.Binary;
using System.Security.Cryptography;
using NodeAgent.Journal.Checksums;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// The first bytes of a sealed file, and what follows from them: the seal of each chunk. docs/formats/backup.md draws them. With a key,
/// chunks are encrypted with AES-256-GCM as in the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar, CRYPTO 2015): the nonce is the
/// chunk's number and whether it is the last, so chunks can be neither exchanged nor left out nor cut off at the end. Without a key the
/// same is done with a hash, against accidents only.
/// </summary>
internal sealed class SealedHeader : IDisposable
{
    public const int Bytes = 96;
    public const int SaltBytes = 16;
    public const int StreamSaltBytes = 32;
    public const int CheckBytes = 8;
    public const int TagBytes = 16;
    public const int NonceBytes = 12;
    public const ushort Version = 1;

    /// <summary>
    /// Plain bytes in a chunk. What is authenticated at once: larger needs more memory and reads more for one page of a segment, smaller
    /// spends more on calls; at 256 KiB the seals take 0.006 %.
    /// </summary>
    public const int ChunkBytes = 256 * 1024;

    private const int MaxChunkBytes = 16 * 1024 * 1024;

    private readonly byte[] _bytes;
    private readonly AesGcm? _cipher;

    private SealedHeader(byte[] bytes, AesGcm? cipher, int chunkBytes)
    {
        _bytes = bytes;
        _cipher = cipher;
        Chunk = chunkBytes;
    }

    /// <summary>Not text, "NABK", CR LF, Ctrl-Z: damaged by whatever takes it for text.</summary>
    public static ReadOnlySpan<byte> Magic => [0x8E, (byte)'N', (byte)'A', (byte)'B', (byte)'K', 0x0D, 0x0A, 0x1A];

    public ReadOnlySpan<byte> Written => _bytes;

    /// <summary>Plain bytes in each chunk but the last.</summary>
    public int Chunk { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="key">Null: not encrypted.</param>
    /// <param name="salt">For a passphrase, the same in all files of a backup: it is slow.</param>
    /// <param name="streamSalt">Of this file alone.</param>
    public static SealedHeader Make(BackupKey? key, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> streamSalt)
    {
        byte[] bytes = new byte[Bytes];
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(10), Bytes);
        bytes[12] = (byte)(key?.Kind ?? BackupKeyKind.None);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), ChunkBytes);
        int iterations = key?.Kind == BackupKeyKind.Passphrase ? BackupKey.Iterations : 0;
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(20), iterations);
        salt[..SaltBytes].CopyTo(bytes.AsSpan(24));
        streamSalt[..StreamSaltBytes].CopyTo(bytes.AsSpan(40));
        AesGcm? cipher = null;
        if (key is not null)
        {
            byte[] master = key.Master(salt[..SaltBytes], iterations);
            Check(master, bytes).CopyTo(bytes.AsSpan(72));
            cipher = Cipher(master, bytes);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(92), Crc32C.Compute(bytes.AsSpan(0, 92)));
        return new SealedHeader(bytes, cipher, ChunkBytes);
    }

    /// <summary>Reads the beginning of a file.</summary>
    /// <exception cref="BackupException">It is none of ours, damaged, of a later version, or the key does not fit.</exception>
    public static SealedHeader Read(ReadOnlySpan<byte> bytes, BackupKey? key, string path)
    {
        if (bytes.Length < Bytes || !bytes[..8].SequenceEqual(Magic))
        {
            throw new BackupException(BackupFailure.NotABackup, $"{path} is no backup of NodeAgent");
        }

        if (BinaryPrimitives.ReadUInt16LittleEndian(bytes[8..]) > Version)
        {
            throw new BackupException(BackupFailure.NewerVersion, $"{path} was written by a later version");
        }

        int chunk = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        int iterations = BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]);
        bool isWhole = BinaryPrimitives.ReadUInt32LittleEndian(bytes[92..]) == Crc32C.Compute(bytes[..92])
            && chunk is > 0 and <= MaxChunkBytes && iterations is >= 0 and <= BackupKey.MaxIterations && bytes[12] <= (byte)BackupKeyKind.Passphrase;
        if (!isWhole)
        {
            throw new BackupException(BackupFailure.Damaged, $"{path}: the header (bytes 0 to 95) is damaged");
        }

        byte[] header = bytes[..Bytes].ToArray();
        BackupKeyKind kind = (BackupKeyKind)header[12];
        return new SealedHeader(header, kind == BackupKeyKind.None ? null : Open(header, kind, iterations, key, path), chunk);
    }

    /// <summary>Seals a chunk: as many bytes as there are, and the tag.</summary>
    public void Seal(long number, bool isLast, ReadOnlySpan<byte> plain, Span<byte> sealedBytes, Span<byte> tag)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(number, isLast, nonce);
        if (_cipher is not null)
        {
            _cipher.Encrypt(nonce, plain, sealedBytes, tag, _bytes);
            return;
        }

        plain.CopyTo(sealedBytes);
        Hash(nonce, plain, tag);
    }

    /// <summary>Opens a chunk. False: these are not the bytes that were sealed as this chunk of this file.</summary>
    public bool TryOpen(long number, bool isLast, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(number, isLast, nonce);
        if (_cipher is null)
        {
            Span<byte> expected = stackalloc byte[TagBytes];
            Hash(nonce, sealedBytes, expected);
            sealedBytes.CopyTo(plain);
            return expected.SequenceEqual(tag);
        }

        try
        {
            _cipher.Decrypt(nonce, sealedBytes, tag, plain, _bytes);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false; // the caller says where
        }
    }

    public void Dispose() => _cipher?.Dispose();

    private static AesGcm Open(byte[] header, BackupKeyKind kind, int iterations, BackupKey? key, string path)
    {
        if (key is null)
        {
            throw new BackupException(BackupFailure.WrongKey, $"{path} is encrypted with a {Words(kind)}; give it");
        }

        if (key.Kind != kind)
        {
            throw new BackupException(BackupFailure.WrongKey, $"{path} is encrypted with a {Words(kind)}, not with a {Words(key.Kind)}");
        }

        byte[] master = key.Master(header.AsSpan(24, SaltBytes), iterations);
        return CryptographicOperations.FixedTimeEquals(Check(master, header), header.AsSpan(72, CheckBytes))
            ? Cipher(master, header)
            : throw new BackupException(BackupFailure.WrongKey, $"{path} is encrypted with another {Words(kind)}");
    }

    private static string Words(BackupKeyKind kind) => kind == BackupKeyKind.File ? "key file" : "passphrase";

    // Tells a wrong key from a damaged chunk; derived apart from the key, it tells nothing of it.
    private static byte[] Check(byte[] master, ReadOnlySpan<byte> header) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, CheckBytes, header.Slice(40, StreamSaltBytes).ToArray(), "nodeagent backup 1 check"u8.ToArray());

    private static AesGcm Cipher(byte[] master, ReadOnlySpan<byte> header) => new(
        HKDF.DeriveKey(HashAlgorithmName.SHA256, master, BackupKey.Bytes, header.Slice(40, StreamSaltBytes).ToArray(), "nodeagent backup 1 chunks"u8.ToArray()),
        TagBytes);

    private static void Nonce(long number, bool isLast, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteInt64BigEndian(nonce[3..], number);
        nonce[11] = isLast ? (byte)1 : (byte)0;
    }

    private void Hash(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> plain, Span<byte> tag)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_bytes);
        hash.AppendData(nonce);
        hash.AppendData(plain);
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(whole);
        whole[..TagBytes].CopyTo(tag);
    }
}
