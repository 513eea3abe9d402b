namespace NodeAgent.Journal.Files;

/// <summary>Small files that are there whole or not at all.</summary>
public static class WholeFile
{
    /// <summary>
    /// Replaces a file: written beside, renamed over it. A crash at any call leaves the old content or the new one, also over a power cut if
    /// it is durable. What a cut-short attempt leaves beside it, the next one takes away.
    /// </summary>
    /// <param name="files">The file calls.</param>
    /// <param name="path">The file; its directory must be there.</param>
    /// <param name="content">All of it.</param>
    /// <param name="isDurable">Whether file and directory are synced; without it only the end of the process is survived.</param>
    /// <param name="problem">Which call failed, on which path, and how; "" where none did.</param>
    public static bool TryReplace(this IFileOps files, string path, ReadOnlySpan<byte> content, bool isDurable, out string problem)
    {
        string fresh = path + ".new";
        files.Delete(fresh); // if it cannot go, it cannot be made either
        IoResult opened = files.Open(fresh, FileOpenMode.CreateNew);
        if (!opened.Ok)
        {
            problem = Describe("make", fresh, opened);
            return false;
        }

        problem = Problem("write", fresh, files.WriteAll(opened.Value, content, 0));
        if (problem.Length == 0 && isDurable) problem = Problem("sync", fresh, files.Sync(opened.Value));
        IoResult closed = files.Close(opened.Value);
        if (problem.Length == 0) problem = Problem("close", fresh, closed);
        if (problem.Length == 0) problem = Problem("rename", fresh, files.Rename(fresh, path));
        if (problem.Length == 0 && isDurable)
        {
            string directory = Path.GetDirectoryName(path)!;
            problem = Problem("sync", directory, files.SyncDirectory(directory));
        }

        return problem.Length == 0;
    }

    /// <summary>All of a file; null: there is none, or the problem says why it cannot be read.</summary>
    /// <param name="files">The file calls.</param>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">It has fewer, or it is not what is meant.</param>
    /// <param name="problem">"" where nothing is wrong, also where there is no file.</param>
    public static byte[]? TryReadWhole(this IFileOps files, string path, int maxBytes, out string problem)
    {
        problem = "";
        IoResult opened = files.Open(path, FileOpenMode.Read);
        if (!opened.Ok)
        {
            problem = opened.Errno == Errno.NoEntry ? "" : Describe("open", path, opened);
            return null;
        }

        byte[] buffer = new byte[maxBytes];
        IoResult read = files.ReadAll(opened.Value, buffer, 0);
        files.Close(opened.Value);
        problem = !read.Ok ? Describe("read", path, read) : read.Value == maxBytes ? $"{path} has more than {maxBytes} bytes" : "";
        return problem.Length == 0 ? buffer[..(int)read.Value] : null;
    }

    /// <summary>A failed call in words; "" for one that did not fail.</summary>
    public static string Problem(string call, string path, IoResult result) => result.Ok ? "" : Describe(call, path, result);

    private static string Describe(string call, string path, IoResult result) => $"cannot {call} {path}: {Errno.Name(result.Errno)}";
}
