namespace NodeAgent.Journal.Tests;

/// <summary>A directory on the real disk, gone afterwards.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("nodeagent-journal-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
