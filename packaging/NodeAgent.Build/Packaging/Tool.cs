namespace NodeAgent.Build.Packaging;

/// <summary>Programs of the machine that not every machine has.</summary>
internal static class Tool
{
    /// <summary>Its path, also where only root's PATH has it; null: not installed.</summary>
    internal static string? Find(string name) =>
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/sbin".Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
}
