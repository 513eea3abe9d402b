using System.Text;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Identity;

/// <summary>
/// The files of an identity. Each is replaced as a whole: written beside, synced, renamed, and the folder synced, so that a crash at any
/// call leaves the old one or the new one. Key and certificate are in one file, because two cannot be replaced at once.
/// </summary>
internal sealed class IdentityFiles(IFileOps files, string directory)
{
    private const string Identity = "identity.pem";
    private const string Roots = "roots.pem";
    private const string NextKey = "next.key";

    // Several times what a chain and a bundle of roots take.
    private const int MaxBytes = 64 * 1024;

    internal string Directory => directory;

    internal string IdentityPath => PathIn(directory);

    internal string RootsPath => Path.Combine(directory, Roots);

    /// <summary>The file with key and certificate.</summary>
    internal static string PathIn(string directory) => Path.Combine(directory, Identity);

    /// <summary>Key, certificate and what stands between it and a root, in PEM; null: there is none.</summary>
    internal string? ReadIdentity(out string problem) => Read(IdentityPath, out problem);

    /// <summary>The fleet's roots, in PEM; null: there are none.</summary>
    internal string? ReadRoots(out string problem) => Read(RootsPath, out problem);

    /// <summary>A key that a certificate was or will be asked for, in PEM; null: there is none.</summary>
    internal string? ReadNextKey(out string problem) => Read(Path.Combine(directory, NextKey), out problem);

    /// <summary>On the disk before anybody is asked to sign it: who asks again after a crash must ask with the same key.</summary>
    internal bool TryWriteNextKey(string pem, out string problem) => TryReplace(NextKey, pem, out problem);

    /// <summary>
    /// Puts a new identity in place. Roots go first: they are a superset, or go with the old identity just as well, while an identity whose
    /// aggregator is not believed would be of no use.
    /// </summary>
    internal bool TryInstall(string identityPem, string rootsPem, out string problem)
    {
        if (!TryReplace(Roots, rootsPem, out problem) || !TryReplace(Identity, identityPem, out problem))
        {
            return false;
        }

        // What stays of it after a crash is the present key, and is recognised as such.
        string path = Path.Combine(directory, NextKey);
        IoResult deleted = files.Delete(path);
        problem = deleted.Ok ? WholeFile.Problem("sync", directory, files.SyncDirectory(directory))
            : deleted.Errno == Errno.NoEntry ? "" : WholeFile.Problem("delete", path, deleted);
        return problem.Length == 0;
    }

    private string? Read(string path, out string problem) =>
        files.TryReadWhole(path, MaxBytes, out problem) is { } content ? Encoding.ASCII.GetString(content) : null;

    private bool TryReplace(string name, string content, out string problem)
    {
        problem = WholeFile.Problem("make", directory, files.CreateDirectory(directory));
        return problem.Length == 0 && files.TryReplace(Path.Combine(directory, name), Encoding.ASCII.GetBytes(content), isDurable: true, out problem);
    }
}
