using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>A host whose devices a test makes, changes and removes.</summary>
internal sealed class ScratchHost : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nodeagent-scratch-").FullName;

    public HostRoots Roots => new(Path.Combine(_root, "proc"), Path.Combine(_root, "sys"), Path.Combine(_root, "etc"));

    public void Write(string path, string content)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    public void Remove(string path) => Directory.Delete(Path.Combine(_root, path), recursive: true);

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
