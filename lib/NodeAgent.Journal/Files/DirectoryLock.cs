using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace NodeAgent.Journal.Files;

/// <summary>
/// One owner a directory: flock on <c>lock</c>, which the kernel gives back however the owner ends. The text in it (the owner's pid) is
/// for people and error messages only.
/// </summary>
internal sealed class DirectoryLock
{
    public const string FileName = "lock";

    private readonly IFileOps _files;
    private readonly long _handle;

    private DirectoryLock(IFileOps files, long handle) => (_files, _handle) = (files, handle);

    public static bool TryTake(
        IFileOps files, string directory, int pid, [NotNullWhen(true)] out DirectoryLock? taken, [NotNullWhen(false)] out OpenError? error)
    {
        taken = null;
        string path = Path.Combine(directory, FileName);
        IoResult opened = files.OpenRetrying(path, FileOpenMode.ReadWrite);
        if (!opened.Ok)
        {
            error = Disk("open lock", path, opened);
            return false;
        }

        IoResult locked = files.Lock(opened.Value);
        if (locked.Errno == Errno.Interrupted) locked = files.Lock(opened.Value);
        if (!locked.Ok)
        {
            error = locked.Errno == Errno.WouldBlock ? Held(files, opened.Value, directory) : Disk("lock", path, locked);
            files.Close(opened.Value);
            return false;
        }

        // The lock holds without its text, so these may fail.
        files.TruncateRetrying(opened.Value, 0);
        files.WriteAll(opened.Value, Encoding.ASCII.GetBytes(pid.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        error = null;
        taken = new DirectoryLock(files, opened.Value);
        return true;
    }

    public void Release() => _files.Close(_handle);

    private static OpenError Disk(string operation, string path, IoResult result)
    {
        var cause = new JournalError(operation, path, result.Errno);
        return new OpenError(OpenFailure.Disk, $"journal lock: {cause}", cause);
    }

    private static OpenError Held(IFileOps files, long handle, string directory)
    {
        Span<byte> text = stackalloc byte[16];
        IoResult read = files.ReadAll(handle, text, 0);
        ReadOnlySpan<byte> digits = text[..(int)read.Value].TrimEnd((byte)'\n');
        bool known = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int pid);
        string owner = known ? $"process {pid}" : "another process";
        return new OpenError(OpenFailure.Locked, $"journal {directory} is in use by {owner}", OwnerPid: known ? pid : null);
    }
}
