using System.Text;
using NodeAgent.Agent.Events;
using NodeAgent.Journal.Files;
using NodeAgent.Sampling.Events;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Agent.Tests.Events;

public sealed class KernelLogBookmarkTests
{
    private const string Folder = "/spool";
    private const string Boot = "8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a";

    private readonly SimulatedDisk _disk = new(1);
    private readonly KernelLogBookmark _bookmark;

    public KernelLogBookmarkTests()
    {
        _disk.CreateDirectory(Folder);
        _bookmark = new KernelLogBookmark(_disk, Folder);
    }

    [Fact]
    public void Save_SpoolHasTheEvents_NextLifeGoesOnThere()
    {
        _bookmark.Note(7, new KernelLogCursor(Boot, 340));
        _bookmark.Save(6);
        Assert.Null(Next().Read(Boot));
        _bookmark.Save(7);
        Assert.Equal(new KernelLogCursor(Boot, 340), Next().Read(Boot));
        Assert.Null(Next().Read("another boot"));
        Assert.Null(Next().Read(""));
    }

    [Fact]
    public void Save_NothingNew_TouchesNoFile()
    {
        _bookmark.Note(7, new KernelLogCursor(Boot, 340));
        _bookmark.Save(7);
        long calls = _disk.Calls;
        _bookmark.Save(8);
        Assert.Equal(calls, _disk.Calls);
    }

    [Fact]
    public void Save_EndedAtAnyCall_LeavesTheOldOneOrTheNewOne()
    {
        _bookmark.Note(1, new KernelLogCursor(Boot, 10));
        _bookmark.Save(1);
        long before = _disk.Calls;
        _bookmark.Note(2, new KernelLogCursor(Boot, 20));
        _bookmark.Save(2);
        long calls = _disk.Calls - before;
        Assert.True(calls > 3);
        for (long fail = 0; fail < calls; fail++)
        {
            SimulatedDisk disk = new(1);
            disk.CreateDirectory(Folder);
            KernelLogBookmark first = new(disk, Folder);
            first.Note(1, new KernelLogCursor(Boot, 10));
            first.Save(1);
            disk.Fault = new DiskFault(DiskFaultKind.Error, disk.Calls + 1 + fail, Errno.InputOutput);
            first.Note(2, new KernelLogCursor(Boot, 20));
            first.Save(2);
            disk.Fault = null;
            disk.KillProcess();
            ulong? next = new KernelLogBookmark(disk, Folder).Read(Boot)?.NextSequence;
            Assert.True(next is 10 or 20, $"call {fail}: {next}");
            Assert.Equal(next == 10 ? 1 : 0, first.Failures);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a")]
    [InlineData("8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a 34")]
    [InlineData("8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a -1\n")]
    [InlineData("8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a 99999999999999999999\n")]
    [InlineData("8f2e8d1c-6d0f-4a36-9c50-0f9e6f1c3b1a 3 4\n")]
    public void Read_TornOrForeign_IsNone(string content)
    {
        _disk.PutFile($"{Folder}/{KernelLogBookmark.FileName}", Encoding.ASCII.GetBytes(content));
        Assert.Null(_bookmark.Read(Boot));
    }

    private KernelLogBookmark Next()
    {
        _disk.KillProcess();
        return new KernelLogBookmark(_disk, Folder);
    }
}
