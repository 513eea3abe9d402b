namespace NodeAgent.Journal.Files;

/// <summary>Interrupted and short calls, dealt with once.</summary>
internal static class FileOpsExtensions
{
    /// <summary>A call that is interrupted this often in a row is an error: nothing here may loop for ever.</summary>
    private const int MaxInterruptions = 64;

    public static IoResult OpenRetrying(this IFileOps files, string path, FileOpenMode mode)
    {
        IoResult result = files.Open(path, mode);
        for (int i = 0; i < MaxInterruptions && result.Errno == Errno.Interrupted; i++) result = files.Open(path, mode);
        return result;
    }

    public static IoResult WriteAll(this IFileOps files, long handle, ReadOnlySpan<byte> source, long offset)
    {
        int interruptions = 0;
        int written = 0;
        while (written < source.Length)
        {
            IoResult result = files.Write(handle, source[written..], offset + written);
            if (result.Errno == Errno.Interrupted && ++interruptions <= MaxInterruptions) continue;
            if (!result.Ok) return result;
            // A regular file that takes nothing would be asked for ever.
            if (result.Value <= 0) return IoResult.Fail(Errno.InputOutput);
            written += (int)result.Value;
        }

        return IoResult.Done(written);
    }

    /// <summary>Value: the bytes read, fewer than asked for only at the end of the file.</summary>
    public static IoResult ReadAll(this IFileOps files, long handle, Span<byte> destination, long offset)
    {
        int interruptions = 0;
        int read = 0;
        while (read < destination.Length)
        {
            IoResult result = files.Read(handle, destination[read..], offset + read);
            if (result.Errno == Errno.Interrupted && ++interruptions <= MaxInterruptions) continue;
            if (!result.Ok) return result;
            if (result.Value <= 0) break;
            read += (int)result.Value;
        }

        return IoResult.Done(read);
    }

    public static IoResult TruncateRetrying(this IFileOps files, long handle, long length)
    {
        IoResult result = files.Truncate(handle, length);
        for (int i = 0; i < MaxInterruptions && result.Errno == Errno.Interrupted; i++) result = files.Truncate(handle, length);
        return result;
    }

    public static IoResult DeleteRetrying(this IFileOps files, string path)
    {
        IoResult result = files.Delete(path);
        for (int i = 0; i < MaxInterruptions && result.Errno == Errno.Interrupted; i++) result = files.Delete(path);
        return result;
    }

    public static IoResult RenameRetrying(this IFileOps files, string from, string to)
    {
        IoResult result = files.Rename(from, to);
        for (int i = 0; i < MaxInterruptions && result.Errno == Errno.Interrupted; i++) result = files.Rename(from, to);
        return result;
    }
}
