using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Top;

/// <summary>One look at the fleet.</summary>
/// <param name="AtUnixMs">The aggregator's clock.</param>
internal sealed record TopSnapshot(long AtUnixMs, IReadOnlyList<TopItem> Items);

/// <summary>Fetches snapshots: the node list and all queries at once, over one connection.</summary>
internal sealed class TopSource(IFleet fleet, TimeSpan window, string namePattern)
{
    private readonly IReadOnlyList<TopQuery> _queries = TopQuery.All(window);

    public async Task<TopSnapshot> FetchAsync(CancellationToken cancellation)
    {
        Task<ListNodesResponse> listing = fleet.ListNodesAsync(new ListNodesRequest { NamePattern = namePattern }, cancellation);
        Task<QueryResponse>[] answers = [.. _queries.Select(query => fleet.InstantAsync(new InstantRequest { Query = new QueryInput { Spec = query.Spec } }, cancellation))];
        // All of them, so that no failure of a sibling stays unobserved.
        await Task.WhenAll([listing, .. answers]).ConfigureAwait(false);

        ListNodesResponse nodes = await listing.ConfigureAwait(false);
        Dictionary<string, Dictionary<string, double>> values = [];
        for (int i = 0; i < answers.Length; i++) Collect(values, _queries[i].Key, await answers[i].ConfigureAwait(false));
        return new TopSnapshot(nodes.WallUnixMs, [.. nodes.Nodes.Select(node => Item(node, nodes.WallUnixMs, values))]);
    }

    // Keyed by "node", then by the query's key, or "cpu/MODE" for the processor modes.
    private static void Collect(Dictionary<string, Dictionary<string, double>> values, string key, QueryResponse answer)
    {
        foreach (QueryResult result in answer.Results)
        {
            string? node = result.Labels.FirstOrDefault(label => label.Name == "node")?.Value;
            if (node is null || !double.IsFinite(result.Value)) continue;
            string? mode = result.Labels.FirstOrDefault(label => label.Name == "mode")?.Value;
            if (!values.TryGetValue(node, out Dictionary<string, double>? ofNode)) values[node] = ofNode = [];
            ofNode[mode is null ? key : $"{key}/{mode}"] = result.Value;
        }
    }

    private static TopItem Item(Node node, long wallUnixMs, Dictionary<string, Dictionary<string, double>> values)
    {
        NodeItem item = NodeItem.From(node, wallUnixMs);
        Dictionary<string, double> of = values.GetValueOrDefault(node.Name) ?? [];
        double? total = Value(of, "memTotal");
        double? used = total - Value(of, "memAvailable");
        return new TopItem
        {
            Node = item.Name,
            State = item.State,
            AgeMs = item.AgeMs,
            CpuRatio = Busy(of),
            MemoryRatio = total > 0 ? used / total : null,
            MemoryUsedBytes = used,
            MemoryTotalBytes = total,
            Load1 = Value(of, "load1"),
            ReceiveBytesPerSecond = Value(of, "rx"),
            TransmitBytesPerSecond = Value(of, "tx"),
            ReadBytesPerSecond = Value(of, "read"),
            WrittenBytesPerSecond = Value(of, "written"),
            DiskBusyRatio = Value(of, "diskBusy"),
            CpuPressureRatio = Value(of, "psiCpu"),
            MemoryPressureRatio = Value(of, "psiMemory"),
            IoPressureRatio = Value(of, "psiIo"),
        };
    }

    // Divided by the sum of all modes, not by the number of processors: it is right whatever the window held.
    // Guest time is contained in user and nice already (proc(5)).
    private static double? Busy(Dictionary<string, double> of)
    {
        double all = 0;
        double idle = 0;
        foreach ((string key, double value) in of)
        {
            if (!key.StartsWith("cpu/", StringComparison.Ordinal) || key is "cpu/guest" or "cpu/guest_nice") continue;
            all += value;
            if (key is "cpu/idle" or "cpu/iowait") idle += value;
        }

        return all > 0 ? Math.Clamp((all - idle) / all, 0, 1) : null;
    }

    private static double? Value(Dictionary<string, double> of, string key) => of.TryGetValue(key, out double value) ? value : null;
}
