using System.Globalization;
using NodeAgent.Aggregator.Detection;
using NodeAgent.V1;
using static NodeAgent.V1.IncidentState;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>Every incident that lasts and is not silenced is one alert, whatever its leading cause comes to be; a silence here spares the pager too.</summary>
/// <param name="desk">Whose incidents.</param>
internal sealed class IncidentAlerts(IncidentDesk desk) : IAlertSource
{
    private const int Most = 10_000;
    private const string SilentAgent = "agent-silent"; // AgentSilent tells of it, after the time that alerts.agent_silent_after gives an agent

    public IEnumerable<Alert> Active(long nowUnixMs)
    {
        (IReadOnlyList<V1.Incident> incidents, _) = desk.List(static _ => true, withResolved: false, Most, nowUnixMs);
        return incidents.Where(incident => incident.State is Open or Acknowledged && incident.Causes is [{ Finding.Cause: not SilentAgent }, ..]).Select(AlertOf);
    }

    private static Alert AlertOf(V1.Incident incident)
    {
        Dictionary<string, string> labels = new() { ["incident"] = incident.Id.ToString(CultureInfo.InvariantCulture) };
        string acknowledged = incident.AcknowledgedBy.Length > 0 ? $" {incident.AcknowledgedBy} knows." : "";
        string action = incident.ActionText.Length > 0 ? $" {incident.ActionText}." : "";
        return new Alert("Incident", SeverityOf(incident.Severity), labels, incident.Title,
            $"{string.Join(", ", incident.Impact?.Nodes.Take(10) ?? [])}: `nodectl incident {incident.Id}` says why.{action}{acknowledged}", incident.Runbook, incident.OpenedUnixMs);
    }

    private static AlertSeverity SeverityOf(Severity severity) => severity switch
    {
        Severity.Critical => AlertSeverity.Critical,
        Severity.Error or Severity.Warning => AlertSeverity.Warning,
        _ => AlertSeverity.Info,
    };
}
