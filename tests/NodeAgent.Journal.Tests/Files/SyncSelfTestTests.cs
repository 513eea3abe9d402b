using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests.Files;

public sealed class SyncSelfTestTests
{
    [Fact]
    public void TryOpen_OnFilesThatHideAFailingSync_IsRefused()
    {
        var bench = new JournalBench(1);
        Assert.False(DurableLog.TryOpen(bench.Options, new HidingFiles(bench.Disk), bench.Time, out _, out OpenError? error));
        Assert.Equal(OpenFailure.SyncHidden, error.Failure);
        Assert.Empty(bench.Disk.Paths);
    }

    [Fact]
    public void Framework_FlushOfWhatCannotBeSynced_IsWhyThisTestExists()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("the defect is the Linux runtime's");

        // /dev/null answers fsync with EINVAL. A runtime that lets this pass hides EIO as well.
        using var file = new FileStream("/dev/null", FileMode.Open, FileAccess.Write);
        file.WriteByte(1);
#pragma warning disable RS0030 // The banned call is what is looked at here.
        Exception? seen = Record.Exception(() => file.Flush(flushToDisk: true));
#pragma warning restore RS0030
        string runtime = Environment.Version.ToString();
        TestContext.Current.TestOutputHelper?.WriteLine(seen is null ? $".NET {runtime} hides a failing fsync" : $".NET {runtime}: {seen.Message}");
        Assert.False(FileOps.ForThisMachine().SyncOfUnsyncable().Ok);
    }

    /// <summary>All as the disk does it, but for a sync that never complains, like the framework's.</summary>
    private sealed class HidingFiles(SimulatedDisk disk) : IFileOps
    {
        public IoResult Sync(long handle)
        {
            disk.Sync(handle);
            return IoResult.Done();
        }

        public IoResult SyncData(long handle) => Sync(handle);

        public IoResult SyncOfUnsyncable() => IoResult.Done();

        public IoResult Open(string path, FileOpenMode mode) => disk.Open(path, mode);

        public IoResult Close(long handle) => disk.Close(handle);

        public IoResult Read(long handle, Span<byte> destination, long offset) => disk.Read(handle, destination, offset);

        public IoResult Write(long handle, ReadOnlySpan<byte> source, long offset) => disk.Write(handle, source, offset);

        public IoResult Truncate(long handle, long length) => disk.Truncate(handle, length);

        public IoResult Allocate(long handle, long length) => disk.Allocate(handle, length);

        public IoResult Length(long handle) => disk.Length(handle);

        public IoResult Lock(long handle) => disk.Lock(handle);

        public IoResult Rename(string from, string to) => disk.Rename(from, to);

        public IoResult Delete(string path) => disk.Delete(path);

        public IoResult CreateDirectory(string path) => disk.CreateDirectory(path);

        public IoResult SyncDirectory(string path) => disk.SyncDirectory(path);

        public IoResult List(string path, ICollection<string> names) => disk.List(path, names);

        public IoResult Exists(string path) => disk.Exists(path);
    }
}
