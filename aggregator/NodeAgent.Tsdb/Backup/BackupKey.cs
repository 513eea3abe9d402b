using System.Security.Cryptography;
using System.Text;

namespace NodeAgent.Tsdb.Backup;

/// <summary>Where a backup's key comes from. Stored; numbers never change meaning.</summary>
public enum BackupKeyKind : byte
{
    /// <summary>Not encrypted.</summary>
    None = 0,

    /// <summary>32 random bytes in a file.</summary>
    File = 1,

    /// <summary>A passphrase, through PBKDF2.</summary>
    Passphrase = 2,
}

/// <summary>
/// A backup's secret. It never encrypts by itself: each file gets a key of its own, derived with a random salt, so that no two chunks
/// anywhere share key and nonce.
/// </summary>
public sealed class BackupKey
{
    /// <summary>Bytes of a key, and of its file.</summary>
    public const int Bytes = 32;

    /// <summary>
    /// Rounds of PBKDF2-HMAC-SHA256: what the OWASP password storage cheat sheet asks for (600,000, 2023). The number is in the header, so it can grow.
    /// </summary>
    public const int Iterations = 600_000;

    // A header decides how long opening takes: more rounds than this are a trap.
    internal const int MaxIterations = 20_000_000;

    private readonly byte[] _secret;
    private readonly Dictionary<string, byte[]> _derived = new(StringComparer.Ordinal);

    private BackupKey(BackupKeyKind kind, byte[] secret)
    {
        Kind = kind;
        _secret = secret;
    }

    public BackupKeyKind Kind { get; }

    /// <summary>Reads what a key file holds: 32 bytes as they are, or 64 hexadecimal digits with white space around them.</summary>
    /// <exception cref="FormatException">It is neither; the message says what it is.</exception>
    public static BackupKey FromFile(ReadOnlySpan<byte> content)
    {
        if (content.Length == Bytes)
        {
            return new BackupKey(BackupKeyKind.File, content.ToArray());
        }

        string text = Encoding.Latin1.GetString(content).Trim();
        return text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigit)
            ? new BackupKey(BackupKeyKind.File, Convert.FromHexString(text))
            : throw new FormatException($"a key file has {Bytes} bytes or {2 * Bytes} hexadecimal digits; this one has {content.Length} bytes");
    }

    /// <summary>Takes a passphrase: at least 8 characters; a line end at its end does not count.</summary>
    /// <exception cref="FormatException">It is too short.</exception>
    public static BackupKey FromPassphrase(string passphrase)
    {
        string text = passphrase.TrimEnd('\r', '\n');
        return text.Length >= 8
            ? new BackupKey(BackupKeyKind.Passphrase, Encoding.UTF8.GetBytes(text))
            : throw new FormatException("a passphrase has at least 8 characters");
    }

    /// <summary>The master key for a salt. Slow for a passphrase, so it is remembered.</summary>
    internal byte[] Master(ReadOnlySpan<byte> salt, int iterations)
    {
        if (Kind == BackupKeyKind.File)
        {
            return _secret;
        }

        string place = $"{Convert.ToHexString(salt)}/{iterations}";
        lock (_derived)
        {
            if (!_derived.TryGetValue(place, out byte[]? master))
            {
                master = Rfc2898DeriveBytes.Pbkdf2(_secret, salt, iterations, HashAlgorithmName.SHA256, Bytes);
                _derived.Add(place, master);
            }

            return master;
        }
    }
}
