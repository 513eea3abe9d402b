using System.Runtime.Versioning;
using NodeAgent.Journal.Files;

namespace NodeAgent.Journal.Tests.Files;

[SupportedOSPlatform("linux")]
public sealed class LinuxFileOpsTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly LinuxFileOps _files = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Sync_OfWhatCannotBeSynced_IsSeenToFail()
    {
        Assert.Equal(Errno.BadHandle, _files.Sync(IFileOps.NoHandle).Errno);
        Assert.Equal(Errno.BadHandle, _files.SyncData(IFileOps.NoHandle).Errno);
        Assert.Equal(Errno.InvalidArgument, _files.SyncOfUnsyncable().Errno);
        Assert.Null(SyncSelfTest.Run(_files));
    }

    [Fact]
    public void WriteReadTruncateLength_OnARealFile_DoWhatTheySay()
    {
        string path = At("file");
        long handle = _files.Open(path, FileOpenMode.CreateNew).Value;
        Assert.Equal(5, _files.Write(handle, "hello"u8, 3).Value);
        Assert.Equal(8, _files.Length(handle).Value);
        var buffer = new byte[16];
        Assert.Equal(8, _files.Read(handle, buffer, 0).Value);
        Assert.True(buffer.AsSpan(0, 8).SequenceEqual("\0\0\0hello"u8));
        Assert.True(_files.Truncate(handle, 4).Ok);
        Assert.Equal(4, _files.Length(handle).Value);
        Assert.True(_files.Sync(handle).Ok);
        Assert.True(_files.SyncData(handle).Ok);
        Assert.True(_files.Close(handle).Ok);
        Assert.Equal(Errno.BadHandle, _files.Close(handle).Errno);
        Assert.Equal(Errno.Exists, _files.Open(path, FileOpenMode.CreateNew).Errno);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Names_OfFilesAndDirectories_AreMadeMovedListedAndRemoved()
    {
        string deep = At("a/b/c");
        Assert.True(_files.CreateDirectory(deep).Ok);
        Assert.True(_files.CreateDirectory(deep).Ok);
        Assert.True(_files.SyncDirectory(deep).Ok);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(deep));

        string one = Path.Combine(deep, "one");
        string two = Path.Combine(deep, "two");
        Assert.True(_files.Close(_files.Open(one, FileOpenMode.CreateNew).Value).Ok);
        Assert.True(_files.Rename(one, two).Ok);
        Assert.Equal(0, _files.Exists(one).Value);
        Assert.Equal(1, _files.Exists(two).Value);
        var names = new List<string>();
        Assert.True(_files.List(deep, names).Ok);
        Assert.Equal(["two"], names);
        Assert.True(_files.Delete(two).Ok);
        Assert.Equal(Errno.NoEntry, _files.Delete(two).Errno);
        Assert.Equal(Errno.NoEntry, _files.Open(two, FileOpenMode.Read).Errno);
        Assert.Equal(Errno.NoEntry, _files.SyncDirectory(two).Errno);
        Assert.Equal(Errno.NoEntry, _files.List(two, names).Errno);
    }

    [Fact]
    public void Open_OfAPlantedSymbolicLink_IsRefused()
    {
        File.WriteAllText(At("secret"), "x");
        File.CreateSymbolicLink(At("link"), At("secret"));
        Assert.Equal(Errno.TooManyLinks, _files.Open(At("link"), FileOpenMode.ReadWrite).Errno);
        Assert.Equal(Errno.TooManyLinks, _files.Open(At("link"), FileOpenMode.Read).Errno);
    }

    [Fact]
    public void Lock_HeldElsewhere_WouldBlockUntilItsHandleIsClosed()
    {
        long first = _files.Open(At("lock"), FileOpenMode.ReadWrite).Value;
        long second = _files.Open(At("lock"), FileOpenMode.ReadWrite).Value;
        Assert.True(_files.Lock(first).Ok);
        Assert.Equal(Errno.WouldBlock, _files.Lock(second).Errno);
        _files.Close(first);
        Assert.True(_files.Lock(second).Ok);
        _files.Close(second);
    }

    [Fact]
    public void Write_ToAFullDevice_SaysNoSpace()
    {
        if (!File.Exists("/dev/full")) Assert.Skip("this machine has no /dev/full");
        long handle = _files.Open("/dev/full", FileOpenMode.ReadWrite).Value;
        Assert.Equal(Errno.NoSpace, _files.Write(handle, "x"u8, 0).Errno);
        _files.Close(handle);
    }

    private string At(string name) => Path.Combine(_directory.Path, name);
}
