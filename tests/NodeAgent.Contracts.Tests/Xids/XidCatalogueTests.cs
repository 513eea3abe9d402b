using NodeAgent.Contracts.Xids;

namespace NodeAgent.Contracts.Tests.Xids;

public sealed class XidCatalogueTests
{
    private static readonly string[] Severities = ["info", "warning", "error", "critical"];

    [Fact]
    public void Catalogue_Entries_UseOnlyWhatItDefines() => Assert.All(XidCatalogue.Embedded.Entries, entry =>
    {
        Assert.Contains(entry.Action, XidCatalogue.Embedded.Actions.Keys);
        Assert.Contains(entry.Severity, Severities);
        Assert.NotEmpty(entry.Name);
        Assert.NotEmpty(entry.Sources);
        Assert.All(entry.Sources.Keys, source => Assert.Contains(source, XidCatalogue.Embedded.Sources.Keys));
    });

    [Theory]
    [InlineData(79, "restart_machine", "critical")]
    [InlineData(48, "reset_gpu", "critical")]
    [InlineData(63, "ignore", "info")] // NVIDIA against GPUd, EKS and Azure
    [InlineData(109, "reset_gpu", "critical")] // NVIDIA against GPUd and Meta
    [InlineData(94, "restart_app", "warning")]
    [InlineData(12345, "none_given", "warning")]
    public void Judge_WithoutAnythingElse_IsTheCatalogue(int xid, string action, string severity) =>
        Assert.Equal(new XidVerdict(action, severity, "catalogue"), XidPolicy.Default.Judge(xid));

    [Fact]
    public void Judge_DriverAsksForSomething_WinsOverEverything()
    {
        XidPolicy policy = XidPolicy.TryParse("""{"xids": {"63": {"action": "ignore"}}}""", out _)!;

        Assert.Equal(new XidVerdict("drain_and_reset", "critical", "driver"), policy.Judge(63, recoveryAction: 4));
        Assert.Equal("driver_9", policy.Judge(63, recoveryAction: 9).Action);
        Assert.Equal("policy", policy.Judge(63, recoveryAction: 0).Source);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("[]", "no object \"xids\"")]
    [InlineData("""{"xids": {"sixty": {}}}""", "xids.sixty")]
    [InlineData("""{"xids": {"63": {"severity": "awful"}}}""", "xids.63.severity is none of")]
    [InlineData("""{"xids": {"63": {"colour": "red"}}}""", "xids.63.colour is not known")]
    public void TryParse_OfABadFile_SaysWhere(string json, string expected)
    {
        Assert.Null(XidPolicy.TryParse(json, out string problem));
        Assert.Contains(expected, problem);
        Assert.NotEmpty(problem);
    }
}
