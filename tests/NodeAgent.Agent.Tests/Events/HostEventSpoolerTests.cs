using NodeAgent.Agent.Events;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Host;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Spool;
using NodeAgent.Agent.Tests.Uplink;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.V1;
using ClockQuality = NodeAgent.Sampling.Clock.ClockQuality;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Events;

public sealed class HostEventSpoolerTests : IDisposable
{
    private static readonly SampleTime Now = new(1_700_000_000_000, 5_000_000_000);

    private readonly MemorySpool _spool = new(7, 1 << 20);
    private readonly CapturingLogger _log = new();
    private readonly Source _kernel = new();
    private readonly Source _links = new();
    private readonly InventoryWatch _inventory;
    private readonly HostEventSpooler _events;
    private HostInventory _host = SampleInventory.Full;

    public HostEventSpoolerTests()
    {
        _inventory = new InventoryWatch(() => _host, new SimulatedTime());
        _events = new HostEventSpooler(_spool, [_kernel, _links], _inventory, "boot-1", _log);
    }

    public void Dispose() => _inventory.Dispose();

    [Fact]
    public void Drain_EventsOfAllSources_AreSpooledInOrderWithEveryField()
    {
        _links.Waiting.Add(new HostEvent("link_down", EventSeverity.Warning, "eth0 down", [new Label("interface", "eth0")], 12, "boot-1", null));
        _kernel.Waiting.Add(new HostEvent("oom_kill", EventSeverity.Critical, "Killed", [new Label("pid", "7"), new Label("process", "x")], 11, "boot-0", 0));
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        Event[] spooled = [.. Records().Select(record => record.Event)];
        Event oom = new() { Sequence = 1, WallUnixMs = 11, Kind = "oom_kill", Severity = Severity.Critical, Message = "Killed", BootId = "boot-0", KernelSequence = 0 };
        oom.Attributes.Add(new V1.Label { Name = "pid", Value = "7" });
        oom.Attributes.Add(new V1.Label { Name = "process", Value = "x" });
        Event link = new() { Sequence = 2, WallUnixMs = 12, Kind = "link_down", Severity = Severity.Warning, Message = "eth0 down", BootId = "boot-1" };
        link.Attributes.Add(new V1.Label { Name = "interface", Value = "eth0" });
        Assert.Equal([oom, link], spooled);
        Assert.True(spooled[0].HasKernelSequence);
        Assert.False(spooled[1].HasKernelSequence);
        Assert.Equal(2, _log.Named("HostEvent").Count);
    }

    [Fact]
    public void Drain_Events_SaysWhatTheLastOneWasSpooledUnder()
    {
        List<ulong> told = [];
        HostEventSpooler events = new(_spool, [_kernel], _inventory, "boot-1", _log) { OnSpooled = told.Add };
        events.Drain(Now, ClockQuality.Synchronised, 0);
        Assert.Empty(told);
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 1));
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 2));
        events.Drain(Now, ClockQuality.Synchronised, 0);
        Assert.Equal([_spool.NextSequence - 1], told);
    }

    [Fact]
    public void Drain_NothingNew_SpoolsNothing()
    {
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 1));
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        Assert.Equal(2UL, _spool.NextSequence);
    }

    [Theory]
    [InlineData(3_600_000, "the wall clock was set forward by 3600000 ms")]
    [InlineData(-1_500, "the wall clock was set back by 1500 ms")]
    public void Drain_ClockStepped_IsAnEvent(long stepMs, string text)
    {
        _events.Drain(Now, ClockQuality.Stepped, stepMs);
        Event step = Assert.Single(Records()).Event;
        Assert.Equal(("clock_step", Severity.Warning, text, Now.WallUnixMs, "boot-1"), (step.Kind, step.Severity, step.Message, step.WallUnixMs, step.BootId));
        Assert.Equal(("step_ms", $"{stepMs}"), (step.Attributes.Single().Name, step.Attributes.Single().Value));
    }

    [Fact]
    public void Drain_SourceThatThrows_LosesNoEventAndSpoolsNoneTwice()
    {
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 1));
        _links.Failure = new IOException("gone");
        Assert.Throws<IOException>(() => _events.Drain(Now, ClockQuality.Synchronised, 0));
        _links.Failure = null;
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        Assert.Equal("xid", Assert.Single(Records()).Event.Kind);
    }

    [Fact]
    public void Inventory_NewOrChanged_IsSpooledOnceAfterTheEvents()
    {
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        _inventory.Look();
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 1));
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        _inventory.Look();
        _host = SampleInventory.Full with { Disks = new Items<DiskInventory>([.. SampleInventory.Full.Disks]) }; // equal, not the same
        _inventory.Look();
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        _host = SampleInventory.Full with { Disks = new Items<DiskInventory>([]) };
        _inventory.Look();
        _events.Drain(Now, ClockQuality.Synchronised, 0);
        Assert.Equal(
            [AgentMessage.BodyOneofCase.Event, AgentMessage.BodyOneofCase.Inventory, AgentMessage.BodyOneofCase.Inventory],
            Records().Select(record => record.BodyCase));
        Assert.Equal([2UL, 3UL], Records().Skip(1).Select(record => record.Inventory.Sequence));
        Assert.Equal([2, 0], Records().Skip(1).Select(record => record.Inventory.Disks.Count));
    }

    [Fact]
    public void Watch_Started_LooksAtOnceAndEveryTenMinutes()
    {
        SimulatedTime time = new();
        int looks = 0;
        using InventoryWatch watch = new(() => SampleInventory.Full with { MemoryBytes = (ulong)++looks }, time);
        watch.Start();
        time.Advance(TimeSpan.Zero);
        Assert.Equal(1UL, watch.TakeChange()!.MemoryBytes);
        Assert.Null(watch.TakeChange());
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(4UL, watch.TakeChange()!.MemoryBytes);
        watch.Dispose();
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.Equal(4, looks);
    }

    [Fact]
    public void Tick_EventsAndTables_PutsTheEventsBeforeTheFrame()
    {
        TickSpooler tick = new(new FrameBuilder(_spool), _events, _log);
        SeriesTable table = new();
        table.Set(table.Add(MetricDefinition.Gauge("x", "", 1, "Test.")), 5);
        _kernel.Waiting.Add(new HostEvent("xid", EventSeverity.Error, "m", [], 1, "b", 1));
        tick.OnTick(Now, [new SampledTable("s", table, TimeSpan.FromSeconds(1), SampleStatus.Ok)]);
        tick.OnTick(new SampleTime(Now.WallUnixMs + 61_000, Now.MonotonicNs + 1_000_000_000), [new SampledTable("s", table, TimeSpan.FromSeconds(1), SampleStatus.Ok)]);
        AgentMessage[] records = [.. Records()];
        Assert.Equal(["xid", "clock_step"], records.Where(r => r.BodyCase == AgentMessage.BodyOneofCase.Event).Select(r => r.Event.Kind));
        Assert.Equal([2UL, 4UL], records.Where(r => r.BodyCase == AgentMessage.BodyOneofCase.Frame).Select(r => r.Frame.Sequence));
        Assert.Equal("60000", records[2].Event.Attributes.Single().Value);
        Assert.Equal(V1.ClockQuality.Stepped, records[3].Frame.Clock);
        Assert.Equal((ulong)Now.MonotonicNs, records[1].Frame.MonotonicNs);
    }

    private List<AgentMessage> Records()
    {
        List<AgentMessage> records = [];
        byte[] buffer = new byte[64];
        for (ulong sequence = 1; _spool.TryRead(ref sequence, ref buffer, out int length); sequence++)
        {
            records.Add(AgentMessage.Parser.ParseFrom(buffer, 0, length));
        }

        return records;
    }

    private sealed class Source : IHostEventSource
    {
        internal List<HostEvent> Waiting { get; } = [];

        internal Exception? Failure { get; set; }

        public string Name => "test";

        public void Drain(in SampleTime now, ICollection<HostEvent> into)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            Waiting.ForEach(into.Add);
            Waiting.Clear();
        }
    }
}
