namespace NodeAgent.Nvml.Tests;

public sealed class NvmlLocatorTests
{
    private const UnixFileMode Usual = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    [Theory]
    [InlineData(0u, 1000u, true)] // root's file
    [InlineData(1000u, 1000u, true)] // our own
    [InlineData(1001u, 1000u, false)] // somebody else's
    public void IsTrusted_ByOwner_OnlyRootAndOurselves(uint owner, uint self, bool expected) => Assert.Equal(expected, NvmlLocator.IsTrusted(owner, Usual, self));

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void IsTrusted_OthersMayWrite_IsNot(UnixFileMode extra) => Assert.False(NvmlLocator.IsTrusted(0, Usual | extra, 0));

    [Fact]
    public void Find_InAFolderThatAnybodyCanWrite_IsRefusedWithTheFolderNamed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("needs Unix modes");
            return;
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("nvml-");
        try
        {
            string library = Path.Combine(folder.FullName, "libnvidia-ml.so.1");
            File.WriteAllText(library, "");
            Assert.Equal(library, NvmlLocator.Find(library, out _));

            folder.UnixFileMode |= UnixFileMode.OtherWrite;
            Assert.Null(NvmlLocator.Find(library, out string problem));
            Assert.Contains(folder.FullName, problem);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Find_AFileThatIsNotThere_SaysSo()
    {
        Assert.Null(NvmlLocator.Find("/nowhere/libnvidia-ml.so.1", out string problem));
        Assert.Contains("/nowhere/libnvidia-ml.so.1", problem);
    }

    [Fact]
    public void WindowsPaths_SystemFolderFirst_ThenWhereOldDriversPutIt()
    {
        IReadOnlyList<string> paths = NvmlLocator.WindowsPaths("C:/Windows/System32", "C:/Program Files");

        Assert.Equal(2, paths.Count);
        Assert.StartsWith("C:/Windows/System32", paths[0]);
        Assert.Contains("NVSMI", paths[1]);
        Assert.All(paths, path => Assert.EndsWith("nvml.dll", path));
    }
}
