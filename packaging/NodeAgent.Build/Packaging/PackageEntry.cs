using System.IO.Compression;
using System.Text;

namespace NodeAgent.Build.Packaging;

/// <summary>One file of a package; owned by root, dated by the release.</summary>
/// <param name="Path">Where it is installed, without the first slash.</param>
/// <param name="Mode">Permission bits.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="IsConfiguration">An administrator may change it; upgrades keep what is there.</param>
internal sealed record PackageEntry(string Path, UnixFileMode Mode, ReadOnlyMemory<byte> Content, bool IsConfiguration = false)
{
    internal const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    internal const UnixFileMode Executable = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    internal static PackageEntry Of(string path, string source, UnixFileMode mode = Plain, bool isConfiguration = false) =>
        new(path, mode, File.ReadAllBytes(source), isConfiguration);

    internal static PackageEntry Text(string path, string text) => new(path, Plain, Encoding.UTF8.GetBytes(text));

    /// <summary>As Debian's policy wants manual pages and changelogs (12.1, 12.7).</summary>
    internal static PackageEntry Compressed(string path, ReadOnlySpan<byte> content) => new(path, Plain, Gzip.Compress(content));
}

/// <summary>gzip without a name and a time in it.</summary>
internal static class Gzip
{
    internal static byte[] Compress(ReadOnlySpan<byte> content)
    {
        using MemoryStream result = new();
        using (GZipStream gzip = new(result, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            gzip.Write(content);
        }

        byte[] bytes = result.ToArray();
        bytes[8] = 2; // XFL: the most thorough compression, RFC 1952 2.3.1; the framework leaves it open
        bytes[9] = 3; // OS: Unix, so that a build on another system gives the same bytes
        return bytes;
    }
}
