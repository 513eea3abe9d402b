using NodeAgent.Aggregator.Detection;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Detection;

public sealed class DetectionLiveTests
{
    private static readonly (string, string)[] Xid79 = [("number", "79"), ("pci", "0000:18:00"), ("uuid", "GPU-1")];

    [Fact]
    public void Event_OfAnXid_OpensAnIncidentWithTheGpuAndWhatToDo()
    {
        using DetectionBench bench = new();
        bench.Row(bench.Schema("n1", "gpu", "gpu_info{gpu=1,uuid=GPU-1,pci=0000:18:00}"), 1);

        bench.Happen("n1", "xid", Severity.Critical, Xid79);

        V1.Incident incident = Assert.Single(bench.Incidents());
        Assert.Equal(("xid-79", "n1", "gpu1"), (incident.Causes[0].Finding.Cause, incident.Causes[0].Finding.Node, incident.Causes[0].Finding.Device));
        Assert.Equal((Severity.Critical, "restart_machine"), (incident.Severity, incident.Action));
    }

    [Fact]
    public void Event_ThroughIngest_ReachesDetectionOnceAndReplayDoesNotTellItAgain()
    {
        using DetectionBench bench = new();
        LinkStream stream = bench.Ingest.Open();
        byte[] message = new AgentSide().Event("kernel_fault");

        Assert.Equal(IntakeOutcome.Taken, stream.Take(message, bench.Ingest.Now));
        bench.Parts.Turn();
        Assert.Equal(1UL, bench.Parts.Status().FindingsTotal);

        bench.Restart();
        bench.Parts.Turn();
        Assert.Equal(0UL, bench.Parts.Status().FindingsTotal);
    }

    [Fact]
    public void Rule_HoldsOnOneGpu_OpensAndClearsAfterItsTimes()
    {
        using DetectionBench bench = new();
        SchemaHandle schema = bench.Schema("n1", "gpu", "gpu_throttle_active{gpu=0,reason=hw_thermal}", "gpu_throttle_active{gpu=1,reason=hw_thermal}");
        bench.Rows(schema, 5, _ => [0, 0]);
        bench.Rows(schema, 5, _ => [0, 1]);
        Assert.Empty(bench.Incidents());

        bench.Rows(schema, 2, _ => [0, 1]);
        Assert.Equal("gpu1", Assert.Single(bench.Incidents()).Causes[0].Finding.Device);

        bench.Rows(schema, 62 + 310, _ => [0, 0]);
        Assert.Equal(V1.IncidentState.Resolved, Assert.Single(bench.Incidents(withResolved: true)).State);
    }

    [Fact]
    public void Restart_WhileARuleHolds_GoesOnWithTheIncidentAndStillClearsIt()
    {
        using DetectionBench bench = new();
        SchemaHandle schema = bench.Schema("n1", "gpu", "gpu_row_remap_failed{gpu=0}");
        bench.Rows(schema, 2, _ => [1]);
        ulong id = Assert.Single(bench.Incidents()).Id;
        Assert.NotNull(bench.Desk.Acknowledge((long)id, "ann", bench.Now));

        bench.Restart();
        schema = bench.Schema("n1", "gpu", "gpu_row_remap_failed{gpu=0}");
        bench.Rows(schema, 10, _ => [1]);
        V1.Incident kept = Assert.Single(bench.Incidents());
        Assert.Equal((id, V1.IncidentState.Acknowledged, "ann"), (kept.Id, kept.State, kept.AcknowledgedBy));

        bench.Rows(schema, 62 + 310, _ => [0]);
        Assert.Empty(bench.Incidents());
    }

    [Fact]
    public void Kill_RightAfterAnEvent_LooksAtItAfterTheStart()
    {
        using DetectionBench bench = new();
        bench.Happen("n1", "xid", Severity.Critical, Xid79);
        bench.Pass(61); // the cursor is on its way to the disk
        bench.Desk.Advance(bench.Now);
        LinkStream stream = bench.Ingest.Open("n2");
        byte[] xid = Google.Protobuf.MessageExtensions.ToByteArray(new AgentMessage
        {
            Event = new Event { Sequence = 1, Kind = "xid", Severity = Severity.Critical, WallUnixMs = bench.Now, Attributes = { new Label { Name = "number", Value = "48" }, new Label { Name = "pci", Value = "0000:10:00" } } },
        });
        Assert.Equal(IntakeOutcome.Taken, stream.Take(xid, bench.Ingest.Now));
        Assert.True(bench.Ingest.Core.Commit());

        bench.Kill(); // before detection looked
        Assert.Contains(bench.Incidents(), incident => incident.Causes[0].Finding is { Cause: "xid-48", Node: "n2" });
    }

    [Fact]
    public void Silence_OfAnAgent_IsAnIncidentThatEndsWhenItSpeaks()
    {
        using DetectionBench bench = new();
        SchemaHandle schema = bench.Schema("n1", "cpu", "node_load1");
        bench.Rows(schema, 3, _ => [1]);
        bench.Pass(35);
        Assert.Equal("agent-silent", Assert.Single(bench.Incidents()).Causes[0].Finding.Cause);

        bench.Rows(schema, 15, _ => [1]);
        bench.Pass(29); // short of another silence
        bench.Rows(schema, 300, _ => [1]);
        Assert.Empty(bench.Incidents());
    }

    [Fact]
    public void Peers_OneGpuOfAJobSlowsDown_IsNamedAndTheJobIsTheImpact()
    {
        using DetectionBench bench = new();
        bench.Place("train", [.. Enumerable.Range(0, 8).Select(gpu => ("n1", gpu))]);
        SchemaHandle schema = bench.Schema("n1", "gpu", [.. Enumerable.Range(0, 8).Select(gpu => $"gpu_activity_ratio{{gpu={gpu},part=sm}}")]);
        double[] Values(int second, double slow) => [.. Enumerable.Range(0, 8).Select(gpu => 0.8 + (0.01 * Math.Sin((second * 1.7) + gpu)) - (gpu == 5 ? slow : 0))];
        bench.Rows(schema, 300, second => Values(second, 0));
        Assert.Empty(bench.Incidents());

        bench.Rows(schema, 60, second => Values(second, 0.12));

        V1.Incident incident = Assert.Single(bench.Incidents());
        Assert.Equal(("straggler", "gpu5"), (incident.Causes[0].Finding.Cause, incident.Causes[0].Finding.Device));
        Assert.Equal(("train", 8U), (Assert.Single(incident.Impact.Jobs), incident.Impact.Gpus));
    }

    [Fact]
    public void Device_ThatHasAlwaysBeenSo_IsNoNewsUntilItWasSound()
    {
        using DetectionBench bench = new();
        SchemaHandle schema = bench.Schema("n1", "net", "node_network_carrier{device=eth0}", "node_network_carrier{device=eth1}");
        bench.Rows(schema, 20, _ => [1, 0]);
        Assert.Empty(bench.Incidents());

        bench.Rows(schema, 10, _ => [0, 0]);
        Assert.Equal("eth0", Assert.Single(bench.Incidents()).Causes[0].Finding.Device);
    }

    [Fact]
    public void States_OfSeriesThatChurn_AreReleasedAndBounded()
    {
        using DetectionBench bench = new(new DetectionSettings { MaxMemoryBytes = 4L << 20 });
        ulong most = 0;
        for (int turn = 0; turn < 60; turn++)
        {
            SchemaHandle schema = bench.Schema("n1", "cgroup", [.. Enumerable.Range(0, 60).Select(pod => $"node_cgroup_pids{{name=pod-{turn}-{pod}}}")]);
            bench.Rows(schema, 2, _ => [.. Enumerable.Repeat(1.0, 60)]);
            most = Math.Max(most, bench.Parts.Status().Series);
        }

        Assert.InRange(most, 60UL, 240UL); // the present columns, and those of the three before
        Assert.Equal(0UL, bench.Parts.Status().UnwatchedSeries);
        bench.Pass(16 * 60);
        Assert.Equal(0UL, bench.Parts.Status().Series);
    }

    [Fact]
    public void States_BeyondTheBound_AreCountedAndRulesStillSeeThem()
    {
        using DetectionBench bench = new(new DetectionSettings { MaxMemoryBytes = 1 });
        for (int node = 0; node < 40; node++)
        {
            bench.Row(bench.Schema($"n{node}", "many", [.. Enumerable.Range(0, 60).Select(at => $"m{at}")]), [.. Enumerable.Repeat(1.0, 60)]);
        }

        bench.Pass(1);
        GetStatusResponse.Types.DetectionStatus status = bench.Parts.Status();
        Assert.Equal((2048UL, 352UL), (status.Series, status.UnwatchedSeries));

        bench.Row(bench.Schema("late", "gpu", "gpu_row_remap_failed{gpu=0}"), 1);
        Assert.Contains(bench.Incidents(), incident => incident.Causes[0].Finding.Node == "late");
    }

    [Fact]
    public void Queue_Full_DropsRowsAndCountsThemAndKeepsEvents()
    {
        using DetectionBench bench = new(new DetectionSettings { QueueBytes = 1 << 20 });
        SchemaHandle schema = bench.Schema("n1", "gpu", "gpu_row_remap_failed{gpu=0}");
        IIngestFollower tap = bench.Ingest.Core.Tap.Follower!;
        for (int row = 0; row < 20_000; row++)
        {
            tap.OnRow(schema, bench.Now + row, [0.0], [1UL]);
        }

        tap.OnEvent("n1", new Event { Kind = "kernel_fault", Severity = Severity.Error, WallUnixMs = bench.Now }, bench.Now);
        bench.Parts.Turn();

        GetStatusResponse.Types.DetectionStatus status = bench.Parts.Status();
        Assert.Equal(20_000UL, status.RowsTotal + status.ShedRowsTotal);
        Assert.True(status.ShedRowsTotal > 0);
        Assert.Contains("DetectionBehind", bench.Events);
        Assert.Contains(bench.Incidents(), incident => incident.Causes[0].Finding.Cause == "kernel-fault");
        bench.Pass(1);
        Assert.True(bench.Parts.Status().ShedLaneSamplesTotal > 0);
        Assert.Equal("none", bench.Parts.Status().Shedding);
        Assert.Contains("DetectionCaughtUp", bench.Events);
    }
}
