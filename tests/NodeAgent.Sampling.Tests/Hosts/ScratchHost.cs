using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Tests.Hosts;

/// <summary>A host whose devices a test makes, changes and removes.</summary>
internal sealed class ScratchHost : IDisposable
{
    private const string Memory = "/dev/shm"; // thousands of small files take seconds on some disks and milliseconds here

    private readonly string _root = CreateDirectory("nodeagent-scratch-");

    public HostRoots Roots => new(Path.Combine(_root, "proc"), Path.Combine(_root, "sys"), Path.Combine(_root, "etc"));

    public void Write(string path, string content)
    {
        string full = Path.Combine(_root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, content);
    }

    public void Remove(string path) => Directory.Delete(Path.Combine(_root, path), recursive: true);

    /// <summary>A new directory, in memory where that is possible. The caller deletes it.</summary>
    public static string CreateDirectory(string prefix)
    {
        string parent = Directory.Exists(Memory) ? Memory : Path.GetTempPath();
        return Directory.CreateDirectory(Path.Combine(parent, prefix + Path.GetRandomFileName())).FullName;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
