using System.Globalization;

namespace NodeAgent.Actuation.Tests;

/// <summary>A folder of this test's, whose files count as root's.</summary>
internal sealed class TrustedFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("actuation-").FullName;

    /// <summary>Who runs the tests.</summary>
    internal uint Owner { get; } = uint.Parse(
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1], CultureInfo.InvariantCulture);

    internal string Put(string name, string text, bool program = false)
    {
        string path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | (program ? UnixFileMode.UserExecute : UnixFileMode.None));
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
