using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Fuzz.Targets;

/// <summary>
/// A backup as somebody may hand it to us (first byte: 0 the whole file, else the content of a well sealed one): it is refused with a
/// sentence, or opened, looked at and checked, and never leads anywhere but below its own root.
/// </summary>
internal sealed class BackupTarget : Engine.IFuzzTarget
{
    private const string Path = "/b";

    public string Name => "backup";

    public IReadOnlyList<byte[]> Seeds { get; } = [[0, .. Sealed([.. "hello"u8, .. Index()])], [1, .. "hello"u8, .. Index()]];

    public IReadOnlyList<byte[]> Dictionary => ["NABKIDX\n"u8.ToArray(), "../"u8.ToArray(), "wal/"u8.ToArray()];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return;
        }

        SimulatedDisk disk = new(1);
        disk.PutFile(Path, input[0] == 0 ? input[1..] : Sealed(input[1..]));
        try
        {
            using BackupView view = BackupView.Open(disk, Path, null);
            foreach (BackupEntry entry in view.Index.Entries)
            {
                string place = System.IO.Path.GetFullPath(System.IO.Path.Combine("/state", entry.Path));
                Invariant.Holds(place.StartsWith("/state/", StringComparison.Ordinal), "a file of a backup stays below the state directory");
            }

            StateReport report = StateCheck.Run(view, TimeProvider.System, new Progress<BackupProgress>(), CancellationToken.None);
            Invariant.Holds(report.Findings.Count < 100_000, "findings are bounded by the backup");
        }
        catch (BackupException e)
        {
            Invariant.Holds(e.Message.Length > 0, "a refusal has a reason");
        }
    }

    private static byte[] Index() => new BackupIndex(1, "p", 2, [new BackupEntry("wal/0000000000000001.segment", 5, System.Security.Cryptography.SHA256.HashData("hello"u8))]).ToBytes();

    private static byte[] Sealed(ReadOnlySpan<byte> content)
    {
        SimulatedDisk disk = new(1);
        long handle = disk.Open(Path, Journal.Files.FileOpenMode.ReadWrite).Value;
        using SealedWriter writer = SealedWriter.Begin(disk, Path, handle, null, new byte[SealedHeader.SaltBytes], new byte[SealedHeader.StreamSaltBytes]);
        writer.Write(content);
        writer.Finish();
        return disk.ReadFile(Path);
    }
}
