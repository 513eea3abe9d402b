namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>A text that is compared with what was agreed. GOLDEN_UPDATE=1 writes it anew: then read the diff before you commit.</summary>
internal static class GoldenFile
{
    public static void Check(string path, string actual)
    {
        if (Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, actual);
            return;
        }

        Assert.True(File.Exists(path), $"{path} is missing; write it with GOLDEN_UPDATE=1 and read it");
        Assert.Equal(File.ReadAllText(path), actual);
    }
}
