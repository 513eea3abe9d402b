using NodeAgent.Aggregator.Detection;
using NodeAgent.Detection.Incidents;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Detection;

public sealed class IncidentJournalTests
{
    [Fact]
    public void Orders_AfterAKilledProcess_AreAllThere()
    {
        using DetectionBench bench = new();
        bench.Happen("n1", "kernel_fault", Severity.Error);
        bench.Happen("n2", "kernel_fault", Severity.Error);
        ulong[] ids = [.. bench.Incidents().Select(incident => incident.Id)];
        Assert.True(bench.Desk.Acknowledge((long)ids[0], "ann", bench.Now)!.Value.IsDurable);
        (Silence silence, _) = bench.Desk.Silence(new Silence("n2", "", bench.Now + 3_600_000, "known", "bob") { SetUnixMs = bench.Now }, bench.Now);
        bench.Desk.Silence(new Silence("n9", "", bench.Now + 3_600_000, "over soon", "bob"), bench.Now);
        Assert.True(bench.Desk.Unsilence(bench.Desk.Silences()[1].Id, bench.Now));
        (string cause, double strictness, _) = bench.Desk.Judge((long)ids[1], right: false)!.Value;

        bench.Kill();

        Assert.Equal([(ids[0], V1.IncidentState.Acknowledged), (ids[1], V1.IncidentState.Silenced)], bench.Incidents().Select(incident => (incident.Id, incident.State)));
        Assert.Equal((silence.Id, "known"), (Assert.Single(bench.Desk.Silences()).Id, bench.Desk.Silences()[0].Reason));
        Assert.Equal(strictness, bench.Parts.Feedback.Of(cause));
        bench.Happen("n3", "kernel_fault", Severity.Error);
        Assert.Equal(ids[1] + 1, bench.Incidents().Max(incident => incident.Id));
    }

    [Fact]
    public void Silence_WhenItsTimeIsOver_LetsItsIncidentBeHeardAgain()
    {
        using DetectionBench bench = new();
        bench.Row(bench.Schema("n1", "gpu", "gpu_row_remap_failed{gpu=0}"), 1);
        bench.Desk.Silence(new Silence("n1", "", bench.Now + 10_000, "known", "bob"), bench.Now);
        Assert.Equal(V1.IncidentState.Silenced, Assert.Single(bench.Incidents()).State);
        IncidentSubscription watcher = new("");
        bench.Desk.Subscribe(watcher, bench.Now);

        bench.Pass(12);

        Assert.Equal(V1.IncidentState.Open, Assert.Single(bench.Incidents()).State);
        Assert.True(watcher.Reader.TryRead(out IncidentUpdate? update));
        Assert.Equal(V1.IncidentChange.Unsilenced, update.Change);
    }

    [Fact]
    public void Journal_OfManyChanges_IsWrittenAnewAndSaysTheSame()
    {
        using DetectionBench bench = new();
        bench.Happen("n1", "kernel_fault", Severity.Error);
        ulong id = Assert.Single(bench.Incidents()).Id;
        for (int turn = 0; turn < 20_050; turn++)
        {
            bench.Desk.Acknowledge((long)id, $"ann {turn}", bench.Now);
        }

        bench.Pass(1);
        bench.Restart();

        Assert.Equal((id, "ann 20049"), (Assert.Single(bench.Incidents()).Id, bench.Incidents()[0].AcknowledgedBy));
        Assert.InRange(bench.Desk.JournalLog.Recovery.NextId - bench.Desk.JournalLog.Recovery.Floor, 1UL, 20_000UL);
    }

    [Fact]
    public void Snapshot_OfAFindingWithoutNumbers_ReadsBackEqual()
    {
        var finding = new NodeAgent.Detection.Finding(2, 1, NodeAgent.Detection.FindingKind.Event, "xid-79", new NodeAgent.Detection.Subject("n1", "gpu0"), double.NaN, double.PositiveInfinity, 1, "text") { Action = "reset_gpu" };
        var kept = new IncidentSnapshot(7, NodeAgent.Detection.Incidents.IncidentState.Acknowledged, 1, 2, 0, 0, "ann", 1, 3, [finding], [new ActiveFinding("xid-79", finding.Subject)]);

        IncidentSnapshot read = IncidentRecord.Read<IncidentSnapshot>(IncidentRecord.Write(kept))!;

        Assert.Equal(kept.Findings, read.Findings);
        Assert.Equal(kept.Active, read.Active);
        Assert.Equal(kept with { Findings = [], Active = [] }, read with { Findings = kept.Findings.Take(0).ToArray(), Active = [] });
    }
}
