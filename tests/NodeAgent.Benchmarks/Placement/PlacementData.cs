using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Traces;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>The public data sets, where they are: <c>--data DIR</c>, NODEAGENT_DATA, or ../shared/data beside the repository.</summary>
internal static class PlacementData
{
    internal static string? Root(string[] arguments)
    {
        string[] places =
        [
            Text(arguments, "--data") ?? "",
            Environment.GetEnvironmentVariable("NODEAGENT_DATA") ?? "",
            Path.Combine(Repository.Root, "..", "shared", "data"),
        ];
        return places.FirstOrDefault(place => place.Length > 0 && Directory.Exists(place));
    }

    internal static string? Text(string[] arguments, string name)
    {
        int at = Array.IndexOf(arguments, name);
        return at >= 0 && at + 1 < arguments.Length ? arguments[at + 1] : null;
    }

    internal static string[] List(string[] arguments, string name, string[] fallback) =>
        Text(arguments, name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? fallback;

    internal static NodeSpec[] Nodes(string path)
    {
        using var reader = new StreamReader(path);
        return OpenbTrace.ReadNodes(reader);
    }

    internal static TracePod[] Pods(string path)
    {
        using var reader = new StreamReader(path);
        return OpenbTrace.ReadPods(reader);
    }

    internal static Demand[] Demands(TracePod[] pods, FleetCatalog catalog) => [.. pods.Select(pod => OpenbTrace.DemandOf(pod, catalog))];

    internal static int Missing(string what)
    {
        Console.Error.WriteLine($"skipped: no {what}; give --data DIR or set NODEAGENT_DATA");
        Console.WriteLine($$"""{"skipped":"{{what}}"}""");
        return 0;
    }
}
