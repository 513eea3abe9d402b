using NodeAgent.Aggregator.Alerts;
using NodeAgent.Aggregator.Tests.Detection;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Alerts;

public sealed class IncidentAlertsTests : IDisposable
{
    private readonly DetectionBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Active_AnIncident_IsOneAlertUntilItIsSilencedOrOver()
    {
        _bench.Happen("n1", "machine_check", Severity.Critical);
        V1.Incident incident = Assert.Single(_bench.Incidents());
        Alert alert = Assert.Single(Active());
        Assert.Equal(("Incident", incident.Id.ToString(), incident.OpenedUnixMs), (alert.Name, alert.Labels["incident"], alert.SinceUnixMs));
        Assert.Equal((AlertSeverity.Critical, incident.Title, incident.Runbook), (alert.Severity, alert.Summary, alert.Runbook));
        Assert.Contains($"n1: `nodectl incident {incident.Id}`", alert.Description, StringComparison.Ordinal);

        _bench.Desk.Acknowledge((long)incident.Id, "ann", _bench.Now);
        Assert.Equal(alert.Key, Assert.Single(Active()).Key);
        Assert.Contains("ann knows", Active()[0].Description, StringComparison.Ordinal);

        _bench.Pass(3_600);
        Assert.Empty(Active());
    }

    [Fact]
    public void Active_ASilentAgent_IsLeftToTheAlertOfThatName()
    {
        SilenceAgent();
        Assert.Equal("agent-silent", Assert.Single(_bench.Incidents()).Causes[0].Finding.Cause);
        Assert.Empty(Active());
    }

    private void SilenceAgent()
    {
        _bench.Row(_bench.Schema("n1", "cpu", "node_load1"), 1);
        _bench.Pass(300);
    }

    private List<Alert> Active() => [.. new IncidentAlerts(_bench.Desk).Active(_bench.Now)];
}
