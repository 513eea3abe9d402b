using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Operations;

/// <summary>Reads keys where settings or arguments say they are.</summary>
internal static class BackupKeyFiles
{
    /// <summary>Null and no problem: no file was named.</summary>
    internal static BackupKey? Read(string? keyFile, string? passphraseFile, out string problem)
    {
        problem = "";
        string? path = keyFile ?? passphraseFile;
        if (path is null)
        {
            return null;
        }

        try
        {
            return keyFile is not null ? BackupKey.FromFile(File.ReadAllBytes(keyFile)) : BackupKey.FromPassphrase(File.ReadAllText(passphraseFile!));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            problem = $"{path}: {e.Message}";
            return null;
        }
    }
}
