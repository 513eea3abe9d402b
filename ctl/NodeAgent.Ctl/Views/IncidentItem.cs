using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One finding of an incident.</summary>
internal sealed record FindingItem(
    string? Time, string? Since, string Detector, string Cause, string Node, string Device, string Metric, double? Expected, double? Seen, double Sureness, string Text, bool Holds)
{
    public static FindingItem From(Finding finding) => new(
        MomentText.Rfc3339(finding.UnixMs), MomentText.Rfc3339(finding.SinceUnixMs), finding.Detector, finding.Cause, finding.Node, finding.Device, finding.Metric,
        finding.HasExpected ? Raw.Finite(finding.Expected) : null, finding.HasSeen ? Raw.Finite(finding.Seen) : null, finding.Sureness, finding.Text, finding.Holds);

    public string Subject => string.Join("/", new[] { Node, Device, Metric }.Where(part => part.Length > 0));
}

/// <summary>A likely cause.</summary>
internal sealed record CauseItem(FindingItem Finding, double Share, uint Explains);

/// <summary>One incident; with a change where it is watched.</summary>
internal sealed record IncidentItem(
    ulong Id, string State, string Severity, string Title, string? Opened, long OpenedUnixMs, string? Last, string? Resolved, string? AcknowledgedBy, uint Flaps, uint Joined,
    IReadOnlyList<CauseItem> Causes, IReadOnlyList<string> Nodes, IReadOnlyList<string> Jobs, uint Gpus, double GpuHours, string Action, string ActionText, string Runbook,
    IReadOnlyList<FindingItem> Findings, string? Change, ulong? MergedInto, string? ChangeText, string? ChangeTime, ulong? Missed)
{
    public static IncidentItem From(Incident incident) => new(
        incident.Id, Words.Of(incident.State), Words.Of(incident.Severity), incident.Title, MomentText.Rfc3339(incident.OpenedUnixMs), incident.OpenedUnixMs,
        MomentText.Rfc3339(incident.LastUnixMs), MomentText.Rfc3339(incident.ResolvedUnixMs), incident.AcknowledgedBy.Length > 0 ? incident.AcknowledgedBy : null, incident.Flaps, incident.Joined,
        [.. incident.Causes.Select(cause => new CauseItem(FindingItem.From(cause.Finding ?? new Finding()), cause.Share, cause.Explains))],
        [.. incident.Impact?.Nodes ?? []], [.. incident.Impact?.Jobs ?? []], incident.Impact?.Gpus ?? 0, incident.Impact?.GpuHours ?? 0,
        incident.Action, incident.ActionText, incident.Runbook, [.. incident.Findings.Select(FindingItem.From)], null, null, null, null, null);

    public static IncidentItem From(IncidentUpdate update) => From(update.Incident ?? new Incident()) with
    {
        Change = Words.Of(update.Change),
        MergedInto = update.MergedInto > 0 ? update.MergedInto : null,
        ChangeText = update.Text,
        ChangeTime = MomentText.Rfc3339(update.UnixMs),
        Missed = update.Missed,
    };
}

/// <summary>A silence.</summary>
internal sealed record SilenceItem(ulong Id, string Node, string Cause, string? Until, long UntilUnixMs, string Reason, string By, string? Set)
{
    public static SilenceItem From(SilenceEntry silence) => new(
        silence.Id, silence.Node, silence.Cause, MomentText.Rfc3339(silence.UntilUnixMs), silence.UntilUnixMs, silence.Reason, silence.By, MomentText.Rfc3339(silence.SetUnixMs));
}

internal static class IncidentListing
{
    public static Listing<IncidentItem> List(long nowUnixMs) => new(
        "IncidentList",
        [
            Id, State, Severity,
            new("AGE", "opened", item => DurationText.Short(TimeSpan.FromMilliseconds(Math.Max(nowUnixMs - item.OpenedUnixMs, 0))), item => item.Opened ?? "") { RightAligned = true },
            Cause, Nodes, Jobs,
            new("GPU HOURS", "gpuHours", item => item.GpuHours > 0 ? item.GpuHours.ToString("0.0", System.Globalization.CultureInfo.InvariantCulture) : Cell.None, item => Raw.Number(item.GpuHours)) { RightAligned = true, DropOrder = 3 },
            new("DO", "action", item => item.Action.Replace('_', ' '), item => item.Action) { DropOrder = 1, ShrinkTo = 10 },
            Title,
        ],
        CtlJson.Default.IncidentItem,
        "no incidents");

    public static readonly Listing<IncidentItem> Watched = new(
        "IncidentUpdate",
        [
            new("TIME (UTC)", "changeTime", item => item.ChangeTime is { } time ? time[11..19] : Cell.None, item => item.ChangeTime ?? "") { StreamWidth = 10 },
            Id,
            new("CHANGE", "change", item => item.Change ?? "", item => item.Change ?? "") { StreamWidth = 12 },
            State, Severity, Cause, Nodes,
            new("WHAT", "changeText", item => (item.MergedInto is { } into ? $"into {into}: " : "") + (item.ChangeText is { Length: > 0 } text ? text : item.Title), item => item.ChangeText ?? "") { ShrinkTo = 16 },
        ],
        CtlJson.Default.IncidentItem,
        "no incidents");

    public static readonly Listing<SilenceItem> Silences = new(
        "SilenceList",
        [
            new("ID", "id", item => Raw.Whole(item.Id), item => Raw.Whole(item.Id)) { RightAligned = true },
            new("NODE", "node", item => item.Node.Length > 0 ? item.Node : "any", item => item.Node),
            new("CAUSE", "cause", item => item.Cause.Length > 0 ? item.Cause : "any", item => item.Cause),
            new("UNTIL (UTC)", "until", item => MomentText.DateAndClock(item.UntilUnixMs), item => item.Until ?? ""),
            new("BY", "by", item => item.By, item => item.By) { DropOrder = 1 },
            new("REASON", "reason", item => item.Reason, item => item.Reason) { ShrinkTo = 16 },
        ],
        CtlJson.Default.SilenceItem,
        "no silences");

    private static Column<IncidentItem> Id => new("ID", "id", item => Raw.Whole(item.Id), item => Raw.Whole(item.Id)) { RightAligned = true, StreamWidth = 5 };

    private static Column<IncidentItem> State => new("STATE", "state", item => new Cell(item.State, Words.ToneOfIncident(item.State)), item => item.State) { StreamWidth = 12 };

    private static Column<IncidentItem> Severity => new("SEVERITY", "severity", item => new Cell(item.Severity, Words.ToneOfSeverity(item.Severity)), item => item.Severity) { StreamWidth = 8 };

    private static Column<IncidentItem> Cause => new("CAUSE", "cause", item => item.Causes is [{ } leading, ..] ? leading.Finding.Cause : Cell.None, item => item.Causes is [{ } leading, ..] ? leading.Finding.Cause : "") { StreamWidth = 18 };

    private static Column<IncidentItem> Nodes => new("NODES", "nodes", item => HostList.Compress(item.Nodes), item => string.Join(' ', item.Nodes)) { ShrinkTo = 10, StreamWidth = 12 };

    private static Column<IncidentItem> Jobs => new("JOBS", "jobs", item => item.Jobs.Count > 0 ? string.Join(' ', item.Jobs) : Cell.None, item => string.Join(' ', item.Jobs)) { ShrinkTo = 8, DropOrder = 2 };

    private static Column<IncidentItem> Title => new("WHAT", "title", item => item.Title, item => item.Title) { ShrinkTo = 16 };
}
