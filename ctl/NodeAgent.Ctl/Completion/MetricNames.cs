using System.CommandLine.Completions;
using NodeAgent.Contracts.Metrics;

namespace NodeAgent.Ctl.Completion;

/// <summary>Metric names complete from the catalogue, without asking anybody.</summary>
internal static class MetricNames
{
    public static IEnumerable<CompletionItem> Complete(CompletionContext context) =>
        MetricCatalog.All
            .Where(metric => metric.Name.StartsWith(context.WordToComplete, StringComparison.Ordinal))
            .Select(metric => new CompletionItem(metric.Name, detail: metric.Help));
}
