namespace NodeAgent.Actuation.Host;

/// <summary>Small files of the kernel: one write is one order, and its failure is the answer.</summary>
public static class KernelFile
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>The text without its last line break; null: it cannot be read.</summary>
    public static string? TryRead(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            byte[] bytes = new byte[MaxBytes];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return System.Text.Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\n', '\0');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Null: the kernel took it.</summary>
    internal static string? TryWrite(string path, string text)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"writing {text} to {path}: {e.Message}";
        }
    }
}
