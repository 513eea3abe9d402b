namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>A text that was agreed on. GOLDEN_UPDATE=1 writes it anew: then read the diff before you commit.</summary>
internal static class GoldenFile
{
    private static readonly string Folder = Path.Combine(Root(), "tests", "NodeAgent.Ctl.Tests", "Golden");

    public static void Check(string name, string actual)
    {
        string path = Path.Combine(Folder, name);
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            Directory.CreateDirectory(Folder);
            File.WriteAllText(path, actual);
            return;
        }

        Assert.True(File.Exists(path), $"{name} is missing; write it with GOLDEN_UPDATE=1 and read it");
        Assert.Equal(File.ReadAllText(path), actual);
    }

    public static string Root()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NodeAgent.sln"))) return folder.FullName;
        }

        throw new InvalidOperationException("the tests run outside of the repository");
    }
}
