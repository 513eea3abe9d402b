using System.Text;
using NodeAgent.Tsdb.Chunks;

namespace NodeAgent.Tsdb.Backup;

/// <summary>One file of a backup.</summary>
/// <param name="Path">Relative to the state directory, with <c>/</c>.</param>
/// <param name="Length">Plain bytes.</param>
/// <param name="Digest">SHA-256 of them.</param>
public sealed record BackupEntry(string Path, long Length, byte[] Digest);

/// <summary>What a backup says of itself: the last thing that is written, so a backup that has one is whole.</summary>
/// <param name="CreatedUnixMs">When the cut was made.</param>
/// <param name="Program">Who wrote it, like <c>aggregator 0.1.0</c>.</param>
/// <param name="LogId">The newest record of the write-ahead log in it; everything acknowledged by then is in it.</param>
/// <param name="Entries">In the order in which they are stored.</param>
public sealed record BackupIndex(long CreatedUnixMs, string Program, ulong LogId, IReadOnlyList<BackupEntry> Entries)
{
    internal const int TrailerBytes = 16;

    private const byte Version = 1;
    private const int DigestBytes = 32;

    public long TotalBytes => Entries.Sum(entry => entry.Length);

    private static ReadOnlySpan<byte> TrailerMagic => "NABKIDX\n"u8;

    /// <summary>Version, time, program, log id, count; per file its path, length and digest. Then the trailer: length of this, magic.</summary>
    internal byte[] ToBytes()
    {
        ChunkWriter writer = new();
        writer.WriteByte(Version);
        writer.WriteSigned(CreatedUnixMs);
        WriteText(writer, Program);
        writer.WriteUnsigned(LogId);
        writer.WriteUnsigned((ulong)Entries.Count);
        foreach (BackupEntry entry in Entries)
        {
            WriteText(writer, entry.Path);
            writer.WriteUnsigned((ulong)entry.Length);
            writer.Write(entry.Digest);
        }

        long length = writer.Length;
        writer.WriteUInt64((ulong)length);
        writer.Write(TrailerMagic);
        return writer.Written.ToArray();
    }

    /// <summary>How many bytes the index in front of a trailer has; -1: it is no trailer.</summary>
    internal static long LengthOf(ReadOnlySpan<byte> trailer)
    {
        ChunkReader reader = new(trailer);
        ulong length = reader.ReadUInt64();
        return trailer[8..].SequenceEqual(TrailerMagic) && length <= int.MaxValue ? (long)length : -1;
    }

    /// <exception cref="InvalidDataException">The bytes are no index.</exception>
    internal static BackupIndex Read(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return ReadFields(bytes);
        }
        catch (Exception e) when (e is IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            throw new InvalidDataException("it ends too soon", e);
        }
    }

    private static BackupIndex ReadFields(ReadOnlySpan<byte> bytes)
    {
        ChunkReader reader = new(bytes);
        byte version = reader.ReadByte();
        if (version != Version)
        {
            throw new InvalidDataException($"it has version {version}");
        }

        long created = reader.ReadSigned();
        string program = ReadText(ref reader);
        ulong logId = reader.ReadUnsigned();
        ulong count = reader.ReadUnsigned();
        if (count > (ulong)reader.Rest.Length / DigestBytes)
        {
            throw new InvalidDataException($"it claims {count} files");
        }

        BackupEntry[] entries = new BackupEntry[count];
        HashSet<string> paths = new(StringComparer.Ordinal);
        for (int i = 0; i < entries.Length; i++)
        {
            string path = ReadText(ref reader);
            if (!IsSafe(path) || !paths.Add(path))
            {
                throw new InvalidDataException($"it names a file '{path}'");
            }

            entries[i] = new BackupEntry(path, checked((long)reader.ReadUnsigned()), reader.Take(DigestBytes).ToArray());
        }

        return reader.IsEmpty ? new BackupIndex(created, program, logId, entries) : throw new InvalidDataException("it has bytes left over");
    }

    /// <summary>Whether a path stays below the directory that it is relative to, on every system.</summary>
    internal static bool IsSafe(string path) =>
        path.Length is > 0 and < 1024 && path.Split('/').All(part => part is not ("" or "." or "..") && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'));

    private static void WriteText(ChunkWriter writer, string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        writer.WriteUnsigned((ulong)bytes);
        Encoding.UTF8.GetBytes(text, writer.Take(bytes));
    }

    private static string ReadText(ref ChunkReader reader) => Encoding.UTF8.GetString(reader.Take(checked((int)reader.ReadUnsigned())));
}
