using NodeAgent.Contracts.Xids;
using NodeAgent.Detection;
using NodeAgent.Detection.Incidents;
using NodeAgent.Detection.Rules;
using Wire = NodeAgent.V1;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Incidents as the contract has them: with severity, impact and what to do, which follow from their findings and from who runs where.</summary>
internal sealed class IncidentMapping(LiveTopology topology, XidPolicy policy)
{
    internal Wire.Incident ToWire(Incident incident, bool withFindings, long nowMs)
    {
        Finding leading = incident.Causes[0].Cause;
        CauseFacts facts = FactsOf(leading);
        Wire.Incident wire = new()
        {
            Id = (ulong)incident.Id,
            State = ToWire(incident.State),
            Severity = incident.Findings.Max(finding => SeverityOf(FactsOf(finding).Severity)),
            Title = $"{leading.Subject}: {leading.Text}",
            OpenedUnixMs = incident.OpenedUnixMs,
            LastUnixMs = incident.LastUnixMs,
            ResolvedUnixMs = incident.ResolvedUnixMs,
            AcknowledgedBy = incident.AcknowledgedBy,
            Flaps = (uint)incident.Flaps,
            Joined = (uint)incident.Joined,
            Impact = ImpactOf(incident, nowMs),
            Action = facts.Action,
            ActionText = XidCatalogue.Embedded.Actions.GetValueOrDefault(facts.Action, facts.Action.Replace('_', ' ')),
            Runbook = facts.Runbook,
        };
        wire.Causes.AddRange(incident.Causes.Select(cause => new Wire.Cause { Finding = ToWire(cause.Cause, incident), Share = cause.Share, Explains = (uint)cause.Explains }));
        if (withFindings)
        {
            wire.Findings.AddRange(incident.Findings.Select(finding => ToWire(finding, incident)));
        }

        return wire;
    }

    internal string WhyOf(Incident incident) => FactsOf(incident.Causes[0].Cause).Why;

    internal static Wire.IncidentChange ToWire(IncidentChangeKind kind) => kind switch
    {
        IncidentChangeKind.Opened => Wire.IncidentChange.Opened,
        IncidentChangeKind.Grew => Wire.IncidentChange.Grew,
        IncidentChangeKind.CauseChanged => Wire.IncidentChange.Cause,
        IncidentChangeKind.Acknowledged => Wire.IncidentChange.Acknowledged,
        IncidentChangeKind.Silenced => Wire.IncidentChange.Silenced,
        IncidentChangeKind.Resolved => Wire.IncidentChange.Resolved,
        IncidentChangeKind.Reopened => Wire.IncidentChange.Reopened,
        IncidentChangeKind.Merged => Wire.IncidentChange.Merged,
        _ => Wire.IncidentChange.Unsilenced,
    };

    internal static Wire.SilenceEntry ToWire(Silence silence) => new()
    {
        Id = (ulong)silence.Id,
        Node = silence.Node,
        Cause = silence.Cause,
        UntilUnixMs = silence.UntilUnixMs,
        Reason = silence.Reason,
        By = silence.By,
        SetUnixMs = silence.SetUnixMs,
    };

    private static Wire.Finding ToWire(Finding finding, Incident incident)
    {
        Wire.Finding wire = new()
        {
            UnixMs = finding.UnixMs,
            SinceUnixMs = finding.SinceUnixMs,
            Detector = NameOf(finding.Kind),
            Cause = finding.Cause,
            Node = finding.Subject.Node,
            Device = finding.Subject.Device,
            Metric = finding.Subject.Metric,
            Sureness = finding.Sureness,
            Text = finding.Text,
            Holds = incident.IsActive(finding),
        };
        if (double.IsFinite(finding.Expected))
        {
            wire.Expected = finding.Expected;
        }

        if (double.IsFinite(finding.Seen))
        {
            wire.Seen = finding.Seen;
        }

        return wire;
    }

    private static string NameOf(FindingKind kind) => kind == FindingKind.FlatLine ? "flat-line" : kind.ToString().ToLowerInvariant();

    private CauseFacts FactsOf(Finding finding)
    {
        CauseFacts facts = CauseFacts.Of(finding.Cause, policy);
        return facts with
        {
            Severity = finding.Severity.Length > 0 ? finding.Severity : facts.Severity,
            Action = finding.Action.Length > 0 ? finding.Action : facts.Action,
        };
    }

    // A job stands still, or goes at the pace of its slowest: all of its GPUs count.
    private Wire.Impact ImpactOf(Incident incident, long nowMs)
    {
        JobMap jobs = topology.Jobs;
        Wire.Impact impact = new();
        impact.Nodes.AddRange(incident.Nodes.Order(StringComparer.Ordinal));
        impact.Jobs.AddRange(incident.Findings.Select(finding => jobs.JobOf(finding.Subject.Node, finding.Subject.Device)).Where(job => job.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
        HashSet<(string, string)> gpus = [.. impact.Jobs.SelectMany(job => jobs.Jobs.GetValueOrDefault(job) ?? []).Where(place => place.Device.Length > 0)];
        gpus.UnionWith(incident.Findings.Where(finding => finding.Subject.Device.StartsWith("gpu", StringComparison.Ordinal)).Select(finding => (finding.Subject.Node, finding.Subject.Device)));
        long first = incident.Findings.Min(finding => finding.SinceUnixMs);
        long end = incident.ResolvedUnixMs > 0 ? incident.ResolvedUnixMs : nowMs;
        impact.Gpus = (uint)gpus.Count;
        impact.GpuHours = gpus.Count * Math.Max(end - first, 0) / 3_600_000.0;
        return impact;
    }

    private static Wire.IncidentState ToWire(IncidentState state) => state switch
    {
        IncidentState.Open => Wire.IncidentState.Open,
        IncidentState.Acknowledged => Wire.IncidentState.Acknowledged,
        IncidentState.Silenced => Wire.IncidentState.Silenced,
        _ => Wire.IncidentState.Resolved,
    };

    private static Wire.Severity SeverityOf(string word) => word switch
    {
        "info" => Wire.Severity.Info,
        "warning" => Wire.Severity.Warning,
        "error" => Wire.Severity.Error,
        "critical" => Wire.Severity.Critical,
        _ => Wire.Severity.Unspecified,
    };
}
