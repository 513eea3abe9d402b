using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests;

/// <summary>Small fleets and workloads made from a seed.</summary>
internal static class TestFleet
{
    internal static readonly DateTimeOffset Noon = new(2026, 1, 2, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Hosts of eight, four, two and one GPUs of three models, in racks of four and leaves of eight.</summary>
    internal static FleetCatalog Mixed(int nodes) => new([.. Enumerable.Range(0, nodes).Select(Node)]);

    internal static NodeSpec Node(int number) => (number % 4) switch
    {
        0 => new NodeSpec($"node-{number}", "G2", 8, 96000, 393216, 100_000, Place(number)),
        1 => new NodeSpec($"node-{number}", "T4", 2, 104000, 524288, 25_000, Place(number)),
        2 => new NodeSpec($"node-{number}", "V100", 4, 32000, 131072, 25_000, Place(number)),
        _ => new NodeSpec($"node-{number}", "T4", 1, 8000, 61440, 10_000, Place(number)),
    };

    internal static FleetCatalog Hosts(int count) => new([.. Enumerable.Range(0, count).Select(number => new NodeSpec($"node-{number}", "H100", 8, 96000, 1_000_000, 400_000, Place(number)))]);

    internal static Demand RandomDemand(ref SplitMix random, FleetCatalog catalog)
    {
        int kind = random.Next(10);
        int cpu = (1 + random.Next(16)) * 500;
        ulong models = random.Next(4) == 0 ? catalog.ModelSet([random.Next(2) == 0 ? "T4" : "G2"]) : ulong.MaxValue;
        return kind switch
        {
            0 => new Demand(cpu * 2, 8192, 0, 0),
            < 5 => new Demand(cpu, 4096 * (1 + random.Next(8)), 1, 100 * (1 + random.Next(9)), models),
            < 8 => new Demand(cpu, 16384, 1, 1000, models),
            8 => new Demand(cpu * 2, 32768, 2, 1000, models),
            _ => new Demand(64000, 131072, 8, 1000),
        };
    }

    internal static WorkloadMix Mix(FleetCatalog catalog, ulong seed = 5)
    {
        var random = new SplitMix(seed);
        var demands = new List<(Demand, double)>();
        for (int index = 0; index < 60; index++)
        {
            demands.Add((RandomDemand(ref random, catalog), 1));
        }

        return new WorkloadMix(demands);
    }

    /// <summary>The data directory; null: absent.</summary>
    internal static string? DataRoot
    {
        get
        {
            string[] places = [Environment.GetEnvironmentVariable("NODEAGENT_DATA") ?? "", Path.Combine(Testing.Processes.Repository.Root, "..", "shared", "data")];
            return places.FirstOrDefault(place => place.Length > 0 && Directory.Exists(Path.Combine(place, "openb")));
        }
    }

    private static NetworkPlace Place(int number) => new(number / 2, number / 4, number / 8);
}
