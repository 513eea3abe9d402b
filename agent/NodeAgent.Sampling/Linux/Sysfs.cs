using System.Text;

namespace NodeAgent.Sampling.Linux;

/// <summary>Reading sysfs where it may allocate: when columns are built and for the inventory.</summary>
internal static class Sysfs
{
    /// <summary>Longest attribute read; those with a single value stay far below.</summary>
    public const int MaxAttributeBytes = 512;

    /// <summary>An open attribute's text without its newline. False, with the file's error number, where the kernel refused.</summary>
    public static bool TryRead(KernelFile file, out ReadOnlySpan<byte> text)
    {
        bool isRead = file.TryRead(out text);
        text = text.TrimEnd("\n \0"u8);
        return isRead;
    }

    /// <summary>An attribute's text without trailing blanks; "" where it does not exist, is refused or is empty.</summary>
    public static string ReadText(string path)
    {
        using KernelFile? file = KernelFile.TryOpen(path, initialBytes: MaxAttributeBytes, wholeInOneRead: true);
        return file is not null && TryRead(file, out ReadOnlySpan<byte> text) ? Encoding.UTF8.GetString(text).Trim() : "";
    }

    /// <summary>An attribute's integer, or null.</summary>
    public static long? ReadInteger(string path) =>
        long.TryParse(ReadText(path), System.Globalization.NumberStyles.AllowLeadingSign, null, out long value) ? value : null;

    /// <summary>Names in a folder in natural order ("mc2" before "mc10"); none where it does not exist.</summary>
    public static IReadOnlyList<string> Names(string directory, string prefix = "")
    {
        try
        {
            string[] names = [.. Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path))
                .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
            Array.Sort(names, CompareNaturally);
            return names;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // no such class on this host, or gone since its parent was listed: the same as empty
        }
    }

    /// <summary>The full path a link leads to, or null where it is no link or leads nowhere.</summary>
    public static string? ResolveLink(string path)
    {
        try
        {
            // A class entry leads through links of its own (/sys/class/net/eth0), so every part has to be resolved in turn.
            string? parent = Path.GetDirectoryName(path);
            string real = parent is null ? path : Path.Combine(ResolveLink(parent) ?? parent, Path.GetFileName(path));
            string? target = new FileInfo(real).LinkTarget;
            if (target is not null)
            {
                real = Path.GetFullPath(target, Path.GetDirectoryName(real)!);
            }

            return Path.Exists(real) ? real : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Last part of where a link leads ("mlx5_core" for a device's driver), or "".</summary>
    public static string LinkName(string path)
    {
        try
        {
            return Path.GetFileName(new FileInfo(path).LinkTarget) ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The number behind a prefix ("mc" of "mc12"), or null.</summary>
    public static int? NumberAfter(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(name.AsSpan(prefix.Length), out int number) ? number : null;

    private static int CompareNaturally(string left, string right)
    {
        int i = 0;
        int j = 0;
        while (i < left.Length && j < right.Length)
        {
            int order = char.IsAsciiDigit(left[i]) && char.IsAsciiDigit(right[j])
                ? TakeNumber(left, ref i).CompareTo(TakeNumber(right, ref j))
                : left[i++].CompareTo(right[j++]);
            if (order != 0)
            {
                return order;
            }
        }

        return (left.Length - i).CompareTo(right.Length - j);
    }

    private static decimal TakeNumber(string text, ref int position)
    {
        int start = position;
        while (position < text.Length && char.IsAsciiDigit(text[position]) && position - start < 28)
        {
            position++;
        }

        return decimal.Parse(text.AsSpan(start, position - start));
    }
}
