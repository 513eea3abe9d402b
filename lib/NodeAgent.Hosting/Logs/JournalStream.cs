using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>
/// Whether systemd's journal reads our output. Its <c>JOURNAL_STREAM</c> holds "device:inode" of the socket it gave us
/// (systemd.exec(5)); a redirected or inherited output has another inode, and would show the priorities as text.
/// </summary>
public static class JournalStream
{
    /// <summary>The file descriptor of standard output.</summary>
    public const int StandardOutput = 1;

    /// <summary>The file descriptor of standard error.</summary>
    public const int StandardError = 2;

    /// <summary>True when <paramref name="fileDescriptor"/> is the socket that <paramref name="journalStream"/> names.</summary>
    /// <param name="journalStream">The value of <c>JOURNAL_STREAM</c>, null when unset.</param>
    /// <param name="fileDescriptor">A descriptor of this process.</param>
    public static bool IsConnected(string? journalStream, int fileDescriptor) =>
        OperatingSystem.IsLinux()
        && TryParseInode(journalStream, out ulong inode)
        && SocketInode(fileDescriptor) == inode;

    /// <summary>The priority prefix of sd-daemon(3) for a level, in the numbers of syslog(3).</summary>
    internal static ReadOnlySpan<byte> Prefix(LogLevel level) => level switch
    {
        LogLevel.Critical => "<2>"u8,
        LogLevel.Error => "<3>"u8,
        LogLevel.Warning => "<4>"u8,
        LogLevel.Information => "<6>"u8,
        _ => "<7>"u8,
    };

    internal static bool TryParseInode(string? journalStream, out ulong inode)
    {
        inode = 0;
        int colon = journalStream?.IndexOf(':') ?? -1;
        return colon > 0 && ulong.TryParse(journalStream.AsSpan(colon + 1), out inode);
    }

    /// <summary>
    /// The link reads <c>socket:[12345]</c>. The device need not be compared: all sockets of a kernel live in one file system
    /// (sockfs), so the inode alone names the socket, and no fstat with its per-architecture layout is needed.
    /// </summary>
    private static ulong? SocketInode(int fileDescriptor)
    {
        try
        {
            string? target = new FileInfo($"/proc/self/fd/{fileDescriptor}").LinkTarget;
            return target is not null && target.StartsWith("socket:[", StringComparison.Ordinal) && target.EndsWith(']')
                && ulong.TryParse(target.AsSpan(8, target.Length - 9), out ulong inode)
                ? inode
                : null;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null; // no /proc here: then plain lines, which every reader can read
        }
    }
}
