using System.Security.Cryptography;
using System.Text;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Testing.Processes;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Tsdb.Tests.Formats;

/// <summary>
/// The bytes of version 1 of a single-file backup, without a key, with a key file and with a passphrase, frozen. <c>GOLDEN_UPDATE=1</c>
/// writes files that are missing, and never changes one.
/// </summary>
public sealed class BackupFixtureTests
{
    private const string Passphrase = "a frozen passphrase";

    public static TheoryData<string> Names => ["backup-plain.bin", "backup-key.bin", "backup-passphrase.bin"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Writer_OfTheSameContent_MakesTheFrozenBytes(string name)
    {
        byte[] made = Make(KeyOf(name));
        string path = Fixture(name);
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("GOLDEN_UPDATE") == "1")
        {
            File.WriteAllBytes(path, made);
        }

        Assert.True(File.ReadAllBytes(path).AsSpan().SequenceEqual(made), $"{name}: the writer no longer makes the bytes of version 1");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Reader_OfTheFrozenBytes_GivesTheContentBack(string name)
    {
        SimulatedDisk disk = new(1);
        disk.PutFile("/b", File.ReadAllBytes(Fixture(name)));
        using BackupView view = BackupView.Open(disk, "/b", KeyOf(name));
        Assert.Equal((1_767_225_600_000, "frozen 1", 42UL), (view.Index.CreatedUnixMs, view.Index.Program, view.Index.LogId));
        Assert.Equal(["wal/a.segment", "store/segments/b.raw"], view.Index.Entries.Select(entry => entry.Path));
        byte[] text = new byte[5];
        Assert.Equal(5, view.Read(view.Open("/backup/wal/a.segment", FileOpenMode.Read).Value, text, 0).Value);
        Assert.Equal("hello", Encoding.ASCII.GetString(text));
    }

    private static byte[] Make(BackupKey? key)
    {
        SimulatedDisk disk = new(1);
        long handle = disk.Open("/b", FileOpenMode.ReadWrite).Value;
        byte[] salt = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];
        byte[] streamSalt = [.. Enumerable.Range(101, 32).Select(i => (byte)i)];
        using SealedWriter writer = SealedWriter.Begin(disk, "/b", handle, key, salt, streamSalt);
        byte[] first = "hello"u8.ToArray();
        byte[] second = [.. Enumerable.Range(0, 300).Select(i => (byte)(i * 7))];
        writer.Write(first);
        writer.Write(second);
        BackupIndex index = new(1_767_225_600_000, "frozen 1", 42,
        [
            new BackupEntry("wal/a.segment", first.Length, SHA256.HashData(first)),
            new BackupEntry("store/segments/b.raw", second.Length, SHA256.HashData(second)),
        ]);
        writer.Write(index.ToBytes());
        writer.Finish();
        return disk.ReadFile("/b");
    }

    private static BackupKey? KeyOf(string name) => name switch
    {
        "backup-key.bin" => BackupKey.FromFile([.. Enumerable.Range(0, 32).Select(i => (byte)i)]),
        "backup-passphrase.bin" => BackupKey.FromPassphrase(Passphrase),
        _ => null,
    };

    private static string Fixture(string name) => Path.Combine(Repository.Root, "tests", "fixtures", "formats", "v1", name);
}
