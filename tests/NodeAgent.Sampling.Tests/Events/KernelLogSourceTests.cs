using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Events;

public sealed class KernelLogSourceTests
{
    private const string Boot = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    private const long UptimeMs = 1_000_000;
    private const string Killed = "Out of memory: Killed process 7 (a) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0";
    private static readonly SampleTime Now = new(WallUnixMs: 1_767_225_600_000, MonotonicNs: 5);

    [Fact]
    public void Drain_OfAnOomKill_JoinsTheLineThatNamesTheLimit()
    {
        ScriptedKernelLog log = new();
        log.Write("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job/x,task=a,pid=7,uid=0", 1_000_000);
        log.Write(Killed, 2_500_000, priority: 3);

        HostEvent found = Assert.Single(Drain(Open(log)));

        Assert.Equal(HostEventKind.OomKill, found.Kind);
        Assert.Equal(Killed, found.Message);
        Assert.Equal("/job", found.Attribute("oom_memcg"));
        Assert.Equal("7", found.Attribute("pid"));
        Assert.Equal("a", found.Attribute("process"));
        Assert.Equal((Boot, 1UL), (found.BootId, found.KernelSequence));
        Assert.Equal(Now.WallUnixMs - UptimeMs + 2_500, found.WallUnixMs);
        Assert.Equal(found.Attributes.Order(), found.Attributes);
    }

    [Fact]
    public void Drain_OfAKillOfAnotherProcess_DoesNotBorrowItsLimit()
    {
        ScriptedKernelLog log = new();
        log.Write("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job/x,task=a,pid=8,uid=0", 1);
        log.Write(Killed, 2);

        Assert.Equal("", Assert.Single(Drain(Open(log))).Attribute("oom_memcg"));
    }

    [Fact]
    public void Drain_OfALineAProcessWrote_IsNoEvent()
    {
        ScriptedKernelLog log = new();
        log.Write("NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.", 1, priority: (1 << 3) | 3);
        KernelLogSource source = Open(log);

        Assert.Empty(Drain(source));
        Assert.Equal(1, source.RecordsRead);
    }

    [Fact]
    public void Drain_AfterARestartWithTheCursor_ReportsNothingTwiceAndMissesNothing()
    {
        ScriptedKernelLog before = new();
        ScriptedKernelLog after = new();
        for (int i = 0; i < 10; i++)
        {
            before.Write(Xid(i), (ulong)i);
            after.Write(Xid(i), (ulong)i);
        }

        KernelLogSource first = Open(before);
        Assert.Equal(10, Drain(first).Count);
        after.Write(Xid(10), 10);
        KernelLogSource second = Open(after, first.Cursor);

        Assert.Equal("10", Assert.Single(Drain(second)).Attribute("number"));
        Assert.Equal(0, second.RecordsLost);
        Assert.Equal(new KernelLogCursor(Boot, 11), second.Cursor);
    }

    [Fact]
    public void Drain_WithACursorOfAnotherBoot_StartsWithTheOldestRecord()
    {
        ScriptedKernelLog log = new();
        log.Write(Xid(1), 1);

        Assert.Single(Drain(Open(log, new KernelLogCursor("another boot", 500))));
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 4)]
    [InlineData(4, 30)]
    public void Drain_AfterAnOverrun_CountsExactlyWhatWasLost(int capacity, int writtenAway)
    {
        ScriptedKernelLog log = new(capacity);
        log.Write(Xid(0), 0);
        KernelLogSource source = Open(log);
        Drain(source);
        for (int i = 0; i < capacity + writtenAway; i++)
        {
            log.Write(Xid(1), 1);
        }

        List<HostEvent> events = Drain(source);

        Assert.Equal(writtenAway, source.RecordsLost);
        HostEvent lost = Assert.Single(events, e => e.Kind == HostEventKind.KernelLogLost);
        Assert.Equal(writtenAway.ToString(), lost.Attribute("lost"));
        Assert.Equal(capacity, events.Count(e => e.Kind == HostEventKind.Xid));
        Assert.Null(lost.KernelSequence);
    }

    [Fact]
    public void Drain_AfterARestart_CountsWhatWasOverwrittenMeanwhile()
    {
        ScriptedKernelLog log = new(capacity: 5);
        for (int i = 0; i < 20; i++)
        {
            log.Write(Xid(i), 1);
        }

        KernelLogSource source = Open(log, new KernelLogCursor(Boot, 3));
        List<HostEvent> events = Drain(source);

        Assert.Equal(12, source.RecordsLost); // 3 to 14; 15 to 19 are left
        Assert.Equal(5, events.Count(e => e.Kind == HostEventKind.Xid));
    }

    [Fact]
    public void Drain_OfAStorm_TakesABoundedNumberAndTheRestNextTime()
    {
        ScriptedKernelLog log = new();
        for (int i = 0; i < 1_000; i++)
        {
            log.Write(Xid(1), 1);
        }

        KernelLogSource source = Open(log);

        Assert.Equal(512, Drain(source).Count);
        Assert.Equal(488, Drain(source).Count);
        Assert.Equal(0, source.RecordsLost);
    }

    [Fact]
    public void Drain_WithNothingNew_IsOneReadAndAllocatesNothing()
    {
        ScriptedKernelLog log = new();
        KernelLogSource source = Open(log);
        List<HostEvent> events = [];
        source.Drain(Now, events);
        int reads = log.Reads;
        source.Drain(Now, events);

        Assert.Equal(1, log.Reads - reads);
        Assert.Equal(0, Allocations.Of(() => Repeat(source, events)));
    }

    [Fact]
    public void Drain_OnceCaughtUp_HoldsTheTimeBetweenTheLastLookAndThisOne()
    {
        ScriptedKernelLog log = new();
        KernelLogSource source = Open(log);
        Drain(source);
        log.Write(Xid(1), (ulong)(UptimeMs - 60_000) * 1000); // the kernel's counter has drifted a minute behind
        SampleTime later = Now with { WallUnixMs = Now.WallUnixMs + 1000 };
        List<HostEvent> events = [];
        source.Drain(later, events);

        Assert.InRange(Assert.Single(events).WallUnixMs, Now.WallUnixMs, later.WallUnixMs);
    }

    [Fact]
    public void Drain_OfMalformedAndOverlongRecords_CountsThemAndGoesOn()
    {
        ScriptedKernelLog log = new();
        log.WriteRaw("no record at all");
        log.WriteRaw("6,1,1,-;" + new string('x', 9000));
        log.Write(Xid(1), 1);
        KernelLogSource source = Open(log);

        Assert.Single(Drain(source), e => e.Kind == HostEventKind.Xid);
        Assert.Equal(2, source.RecordsMalformed);
    }

    [Fact]
    public void Drain_OfABrokenLog_SaysSoAndRecovers()
    {
        ScriptedKernelLog log = new() { IsBroken = true };
        log.Write(Xid(1), 1);
        KernelLogSource source = Open(log);

        Assert.Empty(Drain(source));
        Assert.True(source.HasFailed);

        log.IsBroken = false;
        Assert.Single(Drain(source));
        Assert.False(source.HasFailed);
    }

    [Fact]
    public void TryOpen_OfTheRealLog_ReadsItsRecordsOnceAndLosesNone()
    {
        KernelLogSource? source = KernelLogSource.TryOpen(Boot);
        if (source is null)
        {
            Assert.Skip("/dev/kmsg cannot be read here (no such device, or kernel.dmesg_restrict without CAP_SYSLOG)");
        }

        DrainToEnd(source);
        Assert.True(source.RecordsRead > 0);
        Assert.Equal(0, source.RecordsMalformed);

        KernelLogSource again = KernelLogSource.TryOpen(Boot, source.Cursor)!;
        DrainToEnd(again);
        Assert.Equal(0, again.RecordsLost);
        Assert.True(again.RecordsRead < source.RecordsRead, "the cursor did not skip what had been read");
    }

    [Fact]
    public void Drain_OfTheRealLogAfterALineWasWritten_SeesItAndTakesItForNoKernelEvent()
    {
        KernelLogSource? source = KernelLogSource.TryOpen(Boot);
        if (source is null)
        {
            Assert.Skip("/dev/kmsg cannot be read here");
        }

        DrainToEnd(source);
        long before = source.RecordsRead;
        try
        {
            File.WriteAllText("/dev/kmsg", "<6>nodeagent test: NVRM: Xid (PCI:0000:00:00): 79, made up by a process\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"/dev/kmsg cannot be written here: {e.Message}");
        }

        List<HostEvent> events = DrainToEnd(source);

        Assert.True(source.RecordsRead > before, "the line that was written did not come back");
        Assert.DoesNotContain(events, e => e.Kind == HostEventKind.Xid);
    }

    private static void Repeat(KernelLogSource source, List<HostEvent> events)
    {
        for (int i = 0; i < 100; i++)
        {
            source.Drain(Now, events);
        }
    }

    private static string Xid(int number) => $"NVRM: Xid (PCI:0000:3b:00): {number}, text";

    private static KernelLogSource Open(ScriptedKernelLog log, KernelLogCursor? cursor = null) =>
        KernelLogSource.Over(log, Boot, cursor, () => UptimeMs * 1_000_000);

    private static List<HostEvent> Drain(KernelLogSource source)
    {
        List<HostEvent> events = [];
        source.Drain(Now, events);
        return events;
    }

    private static List<HostEvent> DrainToEnd(KernelLogSource source)
    {
        List<HostEvent> events = [];
        long read;
        do
        {
            read = source.RecordsRead;
            source.Drain(Now, events);
        }
        while (source.RecordsRead != read);
        return events;
    }
}
