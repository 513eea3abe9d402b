namespace NodeAgent.Tsdb.Backup;

/// <summary>Why a backup, a restore or a look at one could not be done.</summary>
public enum BackupFailure
{
    /// <summary>The disk refused a call.</summary>
    Disk = 0,

    /// <summary>Something is where the result should go.</summary>
    InTheWay = 1,

    /// <summary>A process has the state directory, or writes this backup.</summary>
    InUse = 2,

    /// <summary>There is no backup, or none that was finished.</summary>
    NotABackup = 3,

    /// <summary>The backup is encrypted and no key was given, or another one.</summary>
    WrongKey = 4,

    /// <summary>Bytes do not verify.</summary>
    Damaged = 5,

    /// <summary>A later version wrote it.</summary>
    NewerVersion = 6,
}

/// <summary>A backup, restore or check that ended without a result; the message is one sentence for an operator, with the path.</summary>
public sealed class BackupException(BackupFailure failure, string message) : Exception(message)
{
    public BackupFailure Failure { get; } = failure;

    internal static BackupException Disk(string operation, string path, int errno) =>
        new(BackupFailure.Disk, $"{operation} {path}: {NodeAgent.Journal.Files.Errno.Name(errno)}");
}

/// <summary>How far long work has come.</summary>
/// <param name="DoneBytes">Bytes that are dealt with.</param>
/// <param name="TotalBytes">Of so many.</param>
/// <param name="File">What is being done, like <c>writing store/segments/000000000000002a.raw</c>.</param>
public readonly record struct BackupProgress(long DoneBytes, long TotalBytes, string File);
