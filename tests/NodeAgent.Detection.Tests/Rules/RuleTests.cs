using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Xids;
using NodeAgent.Detection.Rules;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Detection.Tests.Rules;

public sealed class RuleTests
{
    public static TheoryData<string> Ids => [.. RuleCatalogue.Embedded.Rules.Select(rule => rule.Id)];

    [Theory]
    [InlineData("xid-79")]
    [InlineData("straggler")]
    [InlineData("leak")]
    [InlineData("flat-line")]
    [InlineData("domain-down")]
    [InlineData("novelty")]
    [InlineData("residual")]
    [InlineData("machine-check")]
    [InlineData("gpu-event")]
    [InlineData("shift")]
    public void Facts_OfEveryOtherCause_NameARunbookThatExists(string cause)
    {
        string[] parts = CauseFacts.Of(cause, XidPolicy.Default).Runbook.Split('#');

        Assert.Contains($"\n## {parts[1]}\n", File.ReadAllText(Path.Combine(Repository.Root, parts[0])), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Catalogue_EveryRule_HasAMetricThatExistsAndARunbookSection(string id)
    {
        Rule rule = RuleCatalogue.Embedded.Find(id)!;
        string[] metrics = [.. new[] { rule.Metric, rule.Other, rule.Reference, rule.Busy }.Where(metric => metric.Length > 0).Select(metric => metric.Split('{')[0])];

        Assert.All(metrics, metric => Assert.True(metric == "silence_seconds" || MetricCatalog.All.Any(known => known.Name == metric), $"{metric} is not in the metric catalogue"));
        string runbook = File.ReadAllText(Path.Combine(Repository.Root, "docs", "runbooks", "detection.md"));
        Assert.Equal("docs/runbooks/detection.md#" + id, rule.Runbook);
        Assert.Contains("\n## " + id + "\n", runbook, StringComparison.Ordinal);
        Assert.Contains(rule.Why, runbook, StringComparison.Ordinal);
    }

    [Fact]
    public void Catalogue_TextThatIsNone_SaysWhy()
    {
        Assert.Null(RuleCatalogue.TryParse("{\"version\":1}", out string missing));
        Assert.Null(RuleCatalogue.TryParse("nonsense", out string nonsense));
        Assert.NotEqual("", missing);
        Assert.NotEqual("", nonsense);
    }

    [Fact]
    public void Look_ConditionHoldsShorterThanAsked_SaysNothing()
    {
        var readings = new Readings { ["gpu_fan_speed_ratio"] = 0, ["gpu_utilization_ratio"] = 0.9 };
        RuleWatch watch = Watch("fan-stopped");
        List<Finding> findings = [];
        watch.Look(readings, 0, findings);
        watch.Look(readings, 5_000, findings);
        readings["gpu_fan_speed_ratio"] = 0.5;
        watch.Look(readings, 6_000, findings);
        readings["gpu_fan_speed_ratio"] = 0;
        watch.Look(readings, 7_000, findings);
        watch.Look(readings, 14_000, findings);

        Assert.Empty(findings);
    }

    [Fact]
    public void Look_ConditionHolds_SaysOnceSinceWhenAndOnceThatItIsOver()
    {
        var readings = new Readings { ["gpu_fan_speed_ratio"] = 0, ["gpu_utilization_ratio"] = 0.9 };
        RuleWatch watch = Watch("fan-stopped");
        List<Finding> findings = [];
        for (int second = 0; second < 200; second++)
        {
            readings["gpu_fan_speed_ratio"] = second is >= 20 and < 80 ? 0 : 0.6;
            watch.Look(readings, second * 1000L, findings);
        }

        Assert.Equal([(28_000L, 20_000L, false), (140_000L, 20_000L, true)], findings.Select(finding => (finding.UnixMs, finding.SinceUnixMs, finding.Clears)));
        Assert.Equal(("n1", "gpu0"), (findings[0].Subject.Node, findings[0].Subject.Device));
    }

    [Fact]
    public void Look_NoReading_IsNeitherHealthyNorSick()
    {
        List<Finding> findings = [];
        RuleWatch watch = Watch("fan-stopped");
        var sick = new Readings { ["gpu_fan_speed_ratio"] = 0, ["gpu_utilization_ratio"] = 0.9 };
        watch.Look(sick, 0, findings);
        watch.Look(sick, 10_000, findings);
        watch.Look(new Readings(), 500_000, findings);

        Assert.Single(findings);
    }

    [Fact]
    public void Look_IdleGpuWithANarrowLink_IsNotTheBusyOne()
    {
        List<Finding> findings = [];
        RuleWatch watch = Watch("pcie-downtrained");
        var readings = new Readings { ["gpu_pcie_link_width"] = 8, ["gpu_pcie_link_width_max"] = 16, ["gpu_utilization_ratio"] = 0 };
        watch.Look(readings, 0, findings);
        watch.Look(readings, 60_000, findings);
        Assert.Empty(findings);

        readings["gpu_utilization_ratio"] = 1;
        watch.Look(readings, 61_000, findings);
        watch.Look(readings, 80_000, findings);
        Assert.Equal((16.0, 8.0), (Assert.Single(findings).Expected, findings[0].Seen));
    }

    [Fact]
    public void Look_CounterThatGrowsOrStartsAgain_OnlyGrowthIsAFinding()
    {
        List<Finding> findings = [];
        RuleWatch watch = Watch("ecc-uncorrected");
        var readings = new Readings();
        foreach ((int second, double value) in new[] { (0, 5.0), (1, 5), (2, 0), (3, 0), (4, 1) })
        {
            readings["gpu_ecc_errors_total{kind=uncorrected,since=load,location=all}"] = value;
            watch.Look(readings, second * 1000L, findings);
        }

        Assert.Equal(4000, Assert.Single(findings).UnixMs);
    }

    [Fact]
    public void Look_RateAboveItsLimit_IsAFindingAndASingleBurstIsNot()
    {
        List<Finding> findings = [];
        RuleWatch watch = Watch("nvlink-errors");
        var readings = new Readings();
        double total = 0;
        for (int second = 0; second < 300; second++)
        {
            total += second == 20 ? 25 : second > 150 ? 3 : 0;
            readings["gpu_nvlink_errors_total{kind=crc_flit}"] = total;
            watch.Look(readings, second * 1000L, findings);
        }

        Assert.InRange(Assert.Single(findings).UnixMs, 160_000, 220_000);
    }

    [Theory]
    [InlineData(79, -1, "xid-79", 1.0)]
    [InlineData(31, 2, "xid-31", 1.0)]
    [InlineData(9999, -1, "xid-9999", 0.7)]
    public void Judge_Xid_TakesTheDriversWordFirst(int xid, int recovery, string cause, double sureness)
    {
        Finding finding = XidRule.Judge(XidPolicy.Default, xid, recovery, "n1", "gpu3", 5);

        Assert.Equal((cause, sureness), (finding.Cause, finding.Sureness));
        Assert.Equal(recovery > 0, finding.Text.Contains("the driver", StringComparison.Ordinal));
    }

    [Fact]
    public void Resume_ARuleThatHadSpoken_DoesNotSpeakAgainAndClears()
    {
        List<Finding> findings = [];
        RuleWatch watch = Watch("row-remap-failed");
        var readings = new Readings();
        Assert.True(watch.Resume("row-remap-failed", 5_000));
        Assert.False(watch.Resume("fan-stopped", 5_000));
        for (int second = 100; second < 300; second++)
        {
            readings["gpu_row_remap_failed"] = second < 200 ? 1 : 0;
            watch.Look(readings, second * 1000L, findings);
        }

        Finding over = Assert.Single(findings);
        Assert.Equal((true, 5_000L), (over.Clears, over.SinceUnixMs));
        watch.End(400_000, findings);
        Assert.Single(findings);
    }

    [Fact]
    public void Look_WithFeedbackThatSaysStricter_HoldsLongerAndFactsStayFacts()
    {
        List<Finding> findings = [];
        RuleWatch held = new([RuleCatalogue.Embedded.Find("throttle-thermal")!], "n1", "gpu0") { Strictness = _ => 3 };
        RuleWatch fact = new([RuleCatalogue.Embedded.Find("row-remap-failed")!], "n1", "gpu0") { Strictness = _ => 3 };
        var readings = new Readings { ["gpu_throttle_active{reason=hw_thermal}"] = 1, ["gpu_row_remap_failed"] = 1 };
        for (int second = 0; second < 30; second++)
        {
            held.Look(readings, second * 1000L, findings);
            fact.Look(readings, second * 1000L, findings);
        }

        Assert.Equal([("row-remap-failed", 0L), ("throttle-thermal", 15_000L)], findings.Select(finding => (finding.Cause, finding.UnixMs)));
    }

    private static RuleWatch Watch(string id) => new([RuleCatalogue.Embedded.Find(id)!], "n1", "gpu0");

    private sealed class Readings : Dictionary<string, double>, IReadings
    {
        public double Of(string metric) => TryGetValue(metric, out double value) ? value : double.NaN;
    }
}
