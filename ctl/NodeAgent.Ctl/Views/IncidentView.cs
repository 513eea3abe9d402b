using System.Globalization;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>Samples around a finding, for programs.</summary>
internal sealed record EvidenceItem(
    uint Finding, string Series, string Unit, long StartUnixMs, ulong StepMs, IReadOnlyList<double?> Seen, double? ExpectedLow, double? ExpectedHigh)
{
    public static EvidenceItem From(Evidence evidence) => new(
        evidence.Finding, evidence.Series, evidence.Unit, evidence.StartUnixMs, evidence.StepMs, [.. evidence.Seen.Select(Raw.Finite)],
        evidence.HasExpectedLow ? Raw.Finite(evidence.ExpectedLow) : null, evidence.HasExpectedHigh ? Raw.Finite(evidence.ExpectedHigh) : null);
}

/// <summary>All that is known about one incident.</summary>
internal sealed record ExplanationItem(IncidentItem Incident, string Why, double Strictness, IReadOnlyList<EvidenceItem> Evidence)
{
    public static ExplanationItem From(ExplainResponse answer) =>
        new(IncidentItem.From(answer.Incident ?? new Incident()), answer.Why, answer.Strictness, [.. answer.Evidence.Select(EvidenceItem.From)]);
}

internal static class IncidentView
{
    private const int PlotRows = 8;

    public static readonly Listing<ExplanationItem> Listing = new(
        "Incident",
        [
            new("ID", "id", item => Raw.Whole(item.Incident.Id), item => Raw.Whole(item.Incident.Id)),
            new("STATE", "state", item => item.Incident.State, item => item.Incident.State),
            new("SEVERITY", "severity", item => item.Incident.Severity, item => item.Incident.Severity),
            new("TITLE", "title", item => item.Incident.Title, item => item.Incident.Title),
            new("ACTION", "action", item => item.Incident.Action, item => item.Incident.Action),
        ],
        CtlJson.Default.ExplanationItem,
        "no such incident");

    public static StyledLines Render(ExplanationItem item, long nowUnixMs, int width, bool withPlots)
    {
        IncidentItem incident = item.Incident;
        Facts facts = new(width);
        facts.Add($"Incident {incident.Id}", new Cell(incident.State, Words.ToneOfIncident(incident.State)), $", {incident.Severity}{(incident.AcknowledgedBy is { } by ? $", acknowledged by {by}" : "")}");
        facts.Add("What", new Cell(incident.Title, Tone.Strong));
        facts.Add("Since", $"{MomentText.DateAndClock(incident.OpenedUnixMs)} UTC", $" ({DurationText.Short(TimeSpan.FromMilliseconds(Math.Max(nowUnixMs - incident.OpenedUnixMs, 0)))} ago){(incident.Flaps > 0 ? $", came back {incident.Flaps} time{(incident.Flaps == 1 ? "" : "s")}" : "")}");
        if (item.Why.Length > 0) facts.Add("Why it matters", item.Why);
        facts.Add("Impact", Impact(incident));
        facts.Add("Do", new Cell(incident.ActionText, Tone.Accent), $"  [{incident.Runbook}]");
        if (item.Strictness != 1) facts.Add("Threshold", $"{item.Strictness.ToString("0.##", CultureInfo.InvariantCulture)} times as strict as by default, because of feedback");
        StyledLines lines = facts.Render();
        Causes(lines, incident);
        Findings(lines, incident);
        foreach (EvidenceItem evidence in withPlots ? item.Evidence : [])
        {
            lines.Add("");
            lines.Append(BandPlot.Render(Picture(evidence, incident), width == int.MaxValue ? 100 : width, PlotRows));
        }

        return lines;
    }

    private static string Impact(IncidentItem incident)
    {
        string nodes = $"{incident.Nodes.Count} node{(incident.Nodes.Count == 1 ? "" : "s")} ({HostList.Compress(incident.Nodes)})";
        string jobs = incident.Jobs.Count > 0 ? $", jobs {string.Join(", ", incident.Jobs)}" : "";
        return incident.Gpus > 0 ? $"{nodes}{jobs}, {incident.Gpus} GPUs, {incident.GpuHours.ToString("0.0", CultureInfo.InvariantCulture)} GPU-hours" : nodes + jobs;
    }

    private static void Causes(StyledLines lines, IncidentItem incident)
    {
        lines.Add("");
        lines.Add(new Cell("Likely causes", Tone.Header));
        foreach (CauseItem cause in incident.Causes)
        {
            string explains = cause.Explains > 0 ? $", explains {cause.Explains} other finding{(cause.Explains == 1 ? "" : "s")}" : "";
            lines.Add($"  {cause.Share * 100,3:0} %  ", new Cell(cause.Finding.Cause, Tone.Strong), $"  {Printable.Of(cause.Finding.Subject)}: {Printable.Of(cause.Finding.Text)}{explains}");
        }
    }

    private static void Findings(StyledLines lines, IncidentItem incident)
    {
        lines.Add("");
        lines.Add(new Cell($"Findings ({incident.Joined} joined)", Tone.Header));
        foreach (FindingItem finding in incident.Findings)
        {
            string numbers = finding.Seen is { } seen
                ? $"  seen {seen.ToString("G5", CultureInfo.InvariantCulture)}{(finding.Expected is { } expected ? $", expected {expected.ToString("G5", CultureInfo.InvariantCulture)}" : "")}"
                : "";
            lines.Add(
                new Cell($"  {finding.Since?[11..19] ?? "-",-8}  ", Tone.Dim), new Cell(finding.Holds ? "holds " : "over  ", finding.Holds ? Tone.Warn : Tone.Dim),
                $"{Printable.Of(finding.Subject)}: {Printable.Of(finding.Text)}{numbers}  ", new Cell($"({finding.Detector}, {finding.Sureness * 100:0} % sure)", Tone.Dim));
        }
    }

    private static BandPicture Picture(EvidenceItem evidence, IncidentItem incident)
    {
        FindingItem? finding = evidence.Finding < incident.Findings.Count ? incident.Findings[(int)evidence.Finding] : null;
        long since = finding?.Since is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out DateTimeOffset moment) ? moment.ToUnixTimeMilliseconds() : 0;
        double[] seen = [.. evidence.Seen.Select(value => value ?? double.NaN)];
        return new BandPicture(
            evidence.Series, evidence.Unit, evidence.StartUnixMs, (long)evidence.StepMs, seen,
            [.. seen.Select(_ => evidence.ExpectedLow ?? double.NaN)], [.. seen.Select(_ => evidence.ExpectedHigh ?? double.NaN)],
            since, finding?.Cause ?? "", null);
    }
}
