using NodeAgent.Detection;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using Finding = NodeAgent.Detection.Finding;

namespace NodeAgent.Aggregator.Detection;

/// <summary>The samples around an incident's findings, with what those before let expect: what a person wants to see before believing it.</summary>
internal sealed class IncidentEvidence(QueryEngine engine)
{
    private const int MostSeries = 3; // what fits a screen
    private const int Points = 120;
    private const int LeastForBand = 12;

    internal IEnumerable<Evidence> Of(IReadOnlyList<Finding> findings, IReadOnlyList<Cause> causes, long aroundMs, long nowMs, string caller, CancellationToken cancellation)
    {
        IEnumerable<int> order = causes.Select(cause => IndexOf(findings, cause)).Concat(Enumerable.Range(0, findings.Count)).Where(at => at >= 0).Distinct();
        int found = 0;
        foreach (int at in order)
        {
            if (found == MostSeries)
            {
                yield break;
            }

            Evidence? evidence = Around(findings[at], aroundMs, nowMs, caller, cancellation);
            if (evidence is not null)
            {
                evidence.Finding = (uint)at;
                found++;
                yield return evidence;
            }
        }
    }

    private static int IndexOf(IReadOnlyList<Finding> findings, Cause cause)
    {
        for (int at = 0; at < findings.Count; at++)
        {
            if (findings[at].Cause == cause.Finding.Cause && findings[at].Subject == new Subject(cause.Finding.Node, cause.Finding.Device, cause.Finding.Metric))
            {
                return at;
            }
        }

        return -1;
    }

    private Evidence? Around(Finding finding, long aroundMs, long nowMs, string caller, CancellationToken cancellation)
    {
        long from = finding.SinceUnixMs - aroundMs;
        long to = Math.Min(finding.SinceUnixMs + aroundMs, nowMs);
        long step = Math.Max((to - from) / Points / 1000 * 1000, 1000);
        if (to <= from || SeriesNames.PlanOf(finding.Subject, Math.Max(step, 5_000)) is not { } plan)
        {
            return null;
        }

        using RangeExecution execution = engine.Range(plan, from, to, step, caller, cancellation);
        if (execution.FirstOrDefault() is not { } series)
        {
            return null;
        }

        Evidence evidence = new()
        {
            Series = $"{(series.Metric.Length > 0 ? series.Metric : finding.Subject.Metric)}{{{string.Join(",", series.Labels.Select(label => $"{label.Name}=\"{label.Value}\""))}}}",
            Unit = series.Unit,
            StartUnixMs = series.StartUnixMs,
            StepMs = (ulong)series.StepMs,
        };
        evidence.Seen.AddRange(series.Values);
        double[] before = [.. series.Values.Where((value, at) => !double.IsNaN(value) && series.StartUnixMs + (at * series.StepMs) < finding.SinceUnixMs).Order()];
        if (before.Length >= LeastForBand)
        {
            evidence.ExpectedLow = before[(int)(0.05 * (before.Length - 1))];
            evidence.ExpectedHigh = before[(int)Math.Ceiling(0.95 * (before.Length - 1))];
        }

        return evidence;
    }
}
