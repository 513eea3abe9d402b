namespace NodeAgent.EndToEnd.Tests;

/// <summary>A folder of the test's own, gone when it ends.</summary>
internal sealed class ScratchFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("nodeagent-e2e-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
