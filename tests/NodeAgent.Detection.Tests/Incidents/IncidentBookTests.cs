using NodeAgent.Detection.Incidents;

namespace NodeAgent.Detection.Tests.Incidents;

public sealed class IncidentBookTests
{
    private readonly IncidentBook _book = new(new Racks());
    private readonly List<IncidentChange> _changes = [];

    [Fact]
    public void Offer_FanHeatThrottleStraggler_IsOneIncidentAndTheFanLeads()
    {
        Offer("fan-stopped", "n1", "gpu3", 100);
        Offer("thermal-margin", "n1", "gpu3", 190);
        Offer("throttle-thermal", "n1", "gpu3", 230);
        Offer("straggler", "n1", "gpu3", 250);

        Incident incident = Assert.Single(_book.Live);
        Assert.Equal("fan-stopped", incident.Causes[0].Cause.Cause);
        Assert.Equal(3, incident.Causes[0].Explains);
        Assert.Equal(1, incident.Causes.Sum(cause => cause.Share), 6);
    }

    [Fact]
    public void Offer_CauseComesAfterItsEffects_JoinsAndLeads()
    {
        Offer("straggler", "n1", "gpu3", 100);
        Offer("throttle-thermal", "n1", "gpu3", 105);
        Offer("fan-stopped", "n1", "gpu3", 110, since: 20);

        Assert.Equal("fan-stopped", Assert.Single(_book.Live).Causes[0].Cause.Cause);
        Assert.Contains(_changes, change => change.Kind == IncidentChangeKind.CauseChanged);
    }

    [Fact]
    public void Offer_TwoEffectsOfOneLateCause_BecomeOneIncident()
    {
        Offer("straggler", "n1", "gpu3", 100);
        Offer("xid-13", "n9", "gpu0", 101); // same job
        Assert.Equal(2, _book.Live.Count());

        Offer("gpu-lost", "n1", "gpu3", 105, since: 95);

        Assert.Single(_book.Live);
        Assert.Contains(_changes, change => change.Kind == IncidentChangeKind.Merged);
    }

    [Fact]
    public void Offer_UnrelatedNodes_StayApart()
    {
        Offer("fan-stopped", "n1", "gpu3", 100);
        Offer("fan-stopped", "n1", "gpu4", 100);
        Offer("clock-step", "n40", "", 100);

        Assert.Equal(3, _book.Live.Count());
    }

    [Fact]
    public void Offer_SameFindingAgain_IsSuppressedAndCounted()
    {
        for (int second = 0; second < 500; second++)
        {
            Offer("throttle-thermal", "n1", "gpu3", 100 + second);
        }

        Assert.Single(_book.Live);
        Assert.Equal(499, _book.Suppressed);
        Assert.Single(_changes);
    }

    [Fact]
    public void Advance_QuietForLongEnough_ResolvesAndNotBefore()
    {
        Offer("throttle-thermal", "n1", "gpu3", 100);
        Offer("throttle-thermal", "n1", "gpu3", 200, clears: true);
        _book.Advance(201_000, _changes);
        _book.Advance(400_000, _changes);
        Assert.Single(_book.Live);

        _book.Advance(502_000, _changes);

        Assert.Empty(_book.Live);
        Assert.Equal(IncidentState.Resolved, Assert.Single(_book.Resolved).State);
    }

    [Fact]
    public void Offer_FlappingAfterResolution_ReopensInsteadOfOpening()
    {
        for (int round = 0; round < 4; round++)
        {
            int second = 100 + (round * 700);
            Offer("throttle-thermal", "n1", "gpu3", second);
            Offer("throttle-thermal", "n1", "gpu3", second + 60, clears: true);
            _book.Advance((second + 61) * 1000L, _changes);
            _book.Advance((second + 400) * 1000L, _changes);
        }

        Assert.Single(_changes, change => change.Kind == IncidentChangeKind.Opened);
        Assert.Equal(3, Assert.Single(_book.Resolved).Flaps);
    }

    [Fact]
    public void Offer_FourNodesOfARackFallSilent_IsTheRacksFault()
    {
        foreach (int node in new[] { 16, 17, 18, 19, 20 })
        {
            Offer("agent-silent", "n" + node, "", 100 + node);
        }

        Incident incident = Assert.Single(_book.Live);
        Assert.Equal("domain-down", incident.Causes[0].Cause.Cause);
        Assert.Equal(5, incident.Nodes.Count());
    }

    [Fact]
    public void Offer_OneOddMetric_OpensNothing()
    {
        Odd("n1", "power", 100);
        _book.Advance(110_000, _changes);
        _book.Advance(300_000, _changes);

        Assert.Empty(_book.Live);
        Assert.Equal(1, _book.SetAside);
    }

    [Fact]
    public void Offer_SeveralMetricsOfANodeOddTogether_OpenOneIncident()
    {
        foreach (string metric in new[] { "power", "clock", "memory", "activity" })
        {
            Odd("n1", metric, 100);
        }

        _book.Advance(106_000, _changes);

        Assert.Equal(4, Assert.Single(_book.Live).Findings.Count);
    }

    [Fact]
    public void Offer_WholeJobOddTogether_IsAPhaseOfTheJob()
    {
        foreach (string node in new[] { "n1", "n2", "n3" })
        {
            foreach (string metric in new[] { "power", "clock", "memory", "activity" })
            {
                Odd(node, metric, 100);
            }
        }

        _book.Advance(106_000, _changes);

        Assert.Empty(_book.Live);
    }

    [Fact]
    public void Offer_NodesOfAJobOddInDifferentMetrics_IsAPhaseOfTheJob()
    {
        foreach (string node in new[] { "n1", "n2", "n3" })
        {
            foreach (string metric in new[] { "a", "b", "c", "d" })
            {
                Odd(node, node + metric, 100);
            }
        }

        _book.Advance(106_000, _changes);

        Assert.Empty(_book.Live);
    }

    [Fact]
    public void Offer_MoreOdditiesADayThanTheBudget_OpensNoMoreAndCounts()
    {
        int budget = new IncidentOptions().OddPerDay;
        for (int time = 0; time < budget + 3; time++)
        {
            foreach (string metric in new[] { "a", "b", "c", "d" })
            {
                Odd("n" + (200 + (time * 40)), metric, 100 + (time * 1000)); // each of another job
            }

            _book.Advance((106 + (time * 1000)) * 1000, _changes);
        }

        Assert.Equal((budget, 12L), (_changes.Count(change => change.Kind == IncidentChangeKind.Opened), _book.SetAside));
    }

    [Fact]
    public void Quieten_WithReasonAndEnd_SilencesAndEndsByItself()
    {
        Assert.False(_book.Quieten(new Silence("n1", "", 500_000, "", "ann"), 0, _changes));
        Assert.True(_book.Quieten(new Silence("n1", "", 500_000, "being moved", "ann"), 0, _changes));
        Offer("fan-stopped", "n1", "gpu3", 100);
        _book.Advance(400_000, _changes);
        Assert.Equal(IncidentState.Silenced, Assert.Single(_book.Live).State);
        _book.Advance(600_000, _changes);
        Offer("clock-step", "n1", "", 700);

        Assert.Equal([IncidentState.Open, IncidentState.Open], _book.Live.Select(incident => incident.State));
        Assert.Contains(_changes, change => change.Kind == IncidentChangeKind.Unsilenced);
    }

    [Fact]
    public void Acknowledge_LiveIncident_SaysWho()
    {
        Offer("fan-stopped", "n1", "gpu3", 100);

        Assert.True(_book.Acknowledge(1, "ann", 101_000, _changes));
        Assert.False(_book.Acknowledge(2, "ann", 101_000, _changes));
        Assert.Equal((IncidentState.Acknowledged, "ann"), (_book.Find(1)!.State, _book.Find(1)!.AcknowledgedBy));
    }

    [Fact]
    public void Offer_SameFindingsInOrder_GiveTheSameChanges()
    {
        List<IncidentChange> Run()
        {
            var book = new IncidentBook(new Racks());
            List<IncidentChange> changes = [];
            string[] causes = ["fan-stopped", "throttle-thermal", "straggler", "agent-silent", "link-lost", "xid-79", "xid-13", "residual", "oom-kill"];
            ulong state = 3;
            for (int at = 0; at < 3000; at++)
            {
                state = (state * 6364136223846793005) + 1442695040888963407;
                int draw = (int)(state >> 40);
                string cause = causes[draw % causes.Length];
                book.Offer(Finding(cause, "n" + (draw / 16 % 64), "gpu" + (draw / 1024 % 8), at, at, draw / 8192 % 3 == 0, cause == "residual" ? 0.5 : 1), changes);
                book.Advance(at * 1000L, changes);
            }

            return changes;
        }

        List<IncidentChange> first = Run();
        Assert.True(first.Count > 100);
        Assert.Equal(first, Run());
    }

    private void Offer(string cause, string node, string device, int second, int? since = null, bool clears = false) =>
        _book.Offer(Finding(cause, node, device, second, since ?? second, clears, 1), _changes);

    private void Odd(string node, string metric, int second) =>
        _book.Offer(new Finding(second * 1000L, second * 1000L, FindingKind.Residual, "residual", new Subject(node, "gpu0", metric), 1, 2, 0.5, "odd"), _changes);

    private static Finding Finding(string cause, string node, string device, int second, int since, bool clears, double sureness) =>
        new(second * 1000L, since * 1000L, FindingKind.Rule, cause, new Subject(node, device), 0, 1, sureness, cause, clears);

    private sealed class Racks : ITopology
    {
        public string JobOf(string node, string device) => "job" + (int.Parse(node.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) / 16);

        public string DomainOf(string node) => "rack" + (int.Parse(node.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture) / 16);

        public int NodesIn(string domain) => 16;
    }
}
