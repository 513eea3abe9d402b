using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Agent.Gpu.Xids;
using NodeAgent.Contracts.Xids;
using NodeAgent.Sampling.Events;
using NodeAgent.Testing;

namespace NodeAgent.Agent.Tests.Gpu.Xids;

/// <summary>The Windows route with scripted records; it has never met a real System log.</summary>
public sealed class WindowsDriverLogTests
{
    private readonly SimulatedTime _time = new();
    private readonly ScriptedLog _log = new();

    [Fact]
    public void Records_OfTheDriver_BecomeEventsOnceAndFromNowOn()
    {
        _log.Records.Add(Record(7, 13, "\\Device\\Video3", "old news"));
        GpuEventQueue queue = new(_time, "");
        using WindowsDriverLog log = new(_log, XidPolicy.Default, queue, _time);

        _log.Records.Add(Record(8, 14, "\\Device\\Video3", "Xid 79: GPU has fallen off the bus"));
        _log.Records.Add(Record(9, 153, "\\Device\\Video3", "Error occurred on GPUID: 100"));
        _time.Advance(TimeSpan.FromSeconds(3));

        List<HostEvent> told = [];
        queue.Drain(told);
        Assert.Equal([HostEventKind.Xid, GpuEventKind.DriverError], told.Select(happened => happened.Kind));
        Assert.Equal(("79", "14", "restart_machine"), (told[0].Attribute("number"), told[0].Attribute("event_id"), told[0].Attribute("action")));
        Assert.Equal("\\Device\\Video3 Error occurred on GPUID: 100", told[1].Message);
        Assert.Equal(1_795_252_800_000, told[1].WallUnixMs);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<Event")]
    [InlineData("<Event><System><EventID>13</EventID></System></Event>")]
    [InlineData("<!DOCTYPE x [<!ENTITY e \"e\">]><Event/>")]
    public void Records_OfAnotherForm_AreNoEvents(string xml) =>
        Assert.False(WindowsDriverLog.TryParse(xml, XidPolicy.Default, new GpuEventQueue(_time, ""), out _, out _));

    private static string Record(int number, int id, params string[] data) =>
        $"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='nvlddmkm'/><EventID Qualifiers='49322'>{id}</EventID>"
        + $"<TimeCreated SystemTime='2026-11-21T09:20:00.0000000Z'/><EventRecordID>{number}</EventRecordID></System><EventData>{string.Concat(data.Select(part => $"<Data>{part}</Data>"))}</EventData></Event>";

    private sealed class ScriptedLog : ISystemLog
    {
        internal List<string> Records { get; } = [];

        public IReadOnlyList<string> ReadAfter(ulong recordId) => [.. Records.Where(record => Number(record) > recordId)];

        public ulong Newest() => Records.Count == 0 ? 0 : Number(Records[^1]);

        private static ulong Number(string record) => ulong.Parse(record.Split("<EventRecordID>")[1].Split('<')[0]);
    }
}
