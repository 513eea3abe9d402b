using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Index;

namespace NodeAgent.Tsdb;

/// <summary>The rules that <see cref="ISeriesWriter.Register"/> applies to a schema, for those who read the same schemas elsewhere.</summary>
public static class SchemaCheck
{
    /// <summary>Whether a store would take these columns of this node, quotas aside.</summary>
    public static bool IsValid(string node, IReadOnlyList<SeriesDefinition> series) => SchemaRules.TryResolve(node, series, out _, out _);
}
