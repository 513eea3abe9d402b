using System.Text;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Linux;

public sealed class KernelDirectoryTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("kernel-directory").FullName;

    public void Dispose() => Directory.Delete(_path, recursive: true);

    [Fact]
    public void TryReadEntry_OfMoreEntriesThanFitTheBuffer_GivesEachOnce()
    {
        SkipUnlessLinux();
        string[] expected = [.. Enumerable.Range(0, 500).Select(i => $"entry-{i:d4}-{new string('x', i % 100)}")];
        foreach (string name in expected)
        {
            File.WriteAllText(Path.Combine(_path, name), "");
        }

        Assert.Equal(expected, Names(_path).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Open_WhereNothingIs_IsNotOpenAndHasNoEntries()
    {
        SkipUnlessLinux();
        using KernelDirectory directory = KernelDirectory.Open(KernelDirectory.PathBytes(Path.Combine(_path, "none")), new byte[4096]);

        Assert.False(directory.IsOpen);
        Assert.Empty(Names(Path.Combine(_path, "none")));
    }

    [Fact]
    public void OpenChild_OfADirectory_ListsItAndReadsItsFiles()
    {
        SkipUnlessLinux();
        Directory.CreateDirectory(Path.Combine(_path, "child"));
        File.WriteAllText(Path.Combine(_path, "child", "file"), "content");
        using KernelDirectory directory = KernelDirectory.Open(KernelDirectory.PathBytes(_path), new byte[4096]);
        using KernelDirectory child = directory.OpenChild("child"u8, new byte[4096]);
        byte[] content = new byte[64];

        Assert.True(child.TryReadFile("file\0"u8, content, out int length));
        Assert.Equal("content", Encoding.ASCII.GetString(content, 0, length));
        Assert.False(child.TryReadFile("none\0"u8, content, out _));
        Assert.False(directory.OpenChild(new byte[300], new byte[4096]).IsOpen);
    }

    private static void SkipUnlessLinux() => Assert.SkipUnless(OperatingSystem.IsLinux(), "getdents64 is a Linux system call");

    private static List<string> Names(string path)
    {
        List<string> names = [];
        KernelDirectory directory = KernelDirectory.Open(KernelDirectory.PathBytes(path), new byte[4096]);
        while (directory.TryReadEntry(out ReadOnlySpan<byte> name, out _))
        {
            names.Add(Encoding.UTF8.GetString(name));
        }

        directory.Dispose();
        return names;
    }
}
