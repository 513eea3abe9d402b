using NodeAgent.Aggregator.Fleet;
using NodeAgent.Placement.Fleet;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Placement;

/// <summary>What placement knows of one node now.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Spec">What it is; null: too little is known.</param>
/// <param name="Unknown">What is missing; empty with a spec.</param>
/// <param name="Condition">Its health.</param>
/// <param name="Uuids">UUIDs of its GPUs by number; empty where none is known.</param>
internal sealed record NodeFacts(string Name, NodeSpec? Spec, string Unknown, NodeCondition Condition, IReadOnlyList<string> Uuids);

/// <summary>
/// The live fleet as placement sees it: hardware from the agents' inventories and GPU readings, health from their state and telemetry.
/// What is not known is said, never guessed. The shape of a node changes by evidence only: one that is silent keeps the shape it had.
/// </summary>
internal sealed class FleetView(FleetRegistry fleet, ISeriesReader store)
{
    private const uint NvidiaVendor = 0x10de;
    private const int MiBPerGiB = 1024;

    // What an agent says is checked: one that is wrong must not cost the others their placement. No machine has so many.
    private const uint MostThreads = 1_000_000;

    /// <summary>Every node ever seen, by name.</summary>
    /// <param name="nowUnixMs">The time.</param>
    /// <param name="known">The shape that a node had so far; null: none.</param>
    internal IReadOnlyList<NodeFacts> Read(long nowUnixMs, Func<string, NodeSpec?> known)
    {
        Dictionary<string, GpuFacts?[]> gpus = GpuEvidence.Read(store, nowUnixMs);
        return WithinModels([.. fleet.Nodes.OrderBy(node => node.Name, StringComparer.Ordinal).Select(node => Of(node, gpus.GetValueOrDefault(node.Name), known(node.Name), nowUnixMs))]);
    }

    // The catalogue has room for so many models; the nodes of the rarest wait, and say so. One place is kept for hosts without GPUs.
    private static NodeFacts[] WithinModels(NodeFacts[] nodes)
    {
        HashSet<(string, bool)> kept = [.. nodes.Where(node => node.Spec is { GpuCount: > 0 }).GroupBy(node => (node.Spec!.Model, node.Spec.Mig))
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key.Model, StringComparer.Ordinal).Take(FleetCatalog.MaxModels - 1).Select(group => group.Key)];
        return [.. nodes.Select(node => node.Spec is not { GpuCount: > 0 } spec || kept.Contains((spec.Model, spec.Mig))
            ? node
            : node with { Spec = null, Unknown = $"its GPU model is one too many: {FleetCatalog.MaxModels - 1} can be told apart" })];
    }

    private static NodeFacts Of(FleetNode node, GpuFacts?[]? gpus, NodeSpec? known, long now)
    {
        NodeFilter filter = node.StateAt(now) switch
        {
            NodeState.Live => NodeFilter.None,
            NodeState.Late => NodeFilter.Stale,
            _ => NodeFilter.Dead,
        };
        string missing = "";
        NodeSpec? spec = filter == NodeFilter.None ? SpecOf(node, gpus, known, out missing) : known;
        if (spec is null)
        {
            return new NodeFacts(node.Name, null, missing.Length > 0 ? missing : "it has not been live since placement began to know it", default, []);
        }

        gpus ??= new GpuFacts?[GpuLanes.Max];
        byte risk = Evidence([.. gpus.OfType<GpuFacts>()]).Class;
        return new NodeFacts(node.Name, spec, "", new NodeCondition(filter, Derated(spec, gpus), risk), [.. gpus.Take(spec.GpuCount).Select(gpu => gpu?.Uuid ?? "")]);
    }

    private static NodeSpec? SpecOf(FleetNode node, GpuFacts?[]? gpus, NodeSpec? known, out string missing)
    {
        missing = "";
        if (node.Inventory is not { } inventory)
        {
            missing = known is null ? "no inventory yet" : "";
            return known;
        }

        uint threads = inventory.Cpu?.Threads ?? 0;
        if (threads is 0 or > MostThreads || inventory.MemoryBytes == 0)
        {
            missing = "its inventory does not say its processors or its memory, or what no machine has";
            return null;
        }

        // Whole GiB: what the kernel keeps for itself differs by a few MiB from boot to boot, and a new shape is a new catalogue.
        int memoryMiB = (int)Math.Min((long)(inventory.MemoryBytes >> 30) * MiBPerGiB, int.MaxValue);
        var host = new NodeSpec(node.Name, "", 0, (int)threads * 1000, memoryMiB, Nic(inventory));
        if (gpus is not null)
        {
            return WithGpus(host, gpus);
        }

        if (!inventory.Accelerators.Any(device => device.VendorId == NvidiaVendor))
        {
            return host;
        }

        missing = known is null ? "NVIDIA devices on its bus, but no reading of them yet" : "";
        return known is null ? null : host with { Model = known.Model, GpuCount = known.GpuCount, Mig = known.Mig, GpuMemoryMiB = known.GpuMemoryMiB };
    }

    // A node has one model: the most frequent one. Devices of another are there but take nothing, as do partitioned ones among whole ones.
    private static NodeSpec WithGpus(NodeSpec host, GpuFacts?[] gpus)
    {
        GpuFacts[] seen = [.. gpus.OfType<GpuFacts>()];
        string model = seen.GroupBy(gpu => gpu.Model).OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).First().Key;
        GpuFacts[] its = [.. seen.Where(gpu => gpu.Model == model)];
        return host with
        {
            Model = model,
            GpuCount = Array.FindLastIndex(gpus, gpu => gpu is not null) + 1,
            Mig = its.All(gpu => gpu.IsPartitioned),
            GpuMemoryMiB = its.Min(gpu => gpu.MemoryMiB),
        };
    }

    private static byte Derated(NodeSpec spec, GpuFacts?[] gpus)
    {
        byte lanes = 0;
        for (int number = 0; number < spec.GpuCount; number++)
        {
            bool usable = gpus[number] is { Answers: true, IsSick: false } gpu && gpu.Model == spec.Model && gpu.IsPartitioned == spec.Mig;
            lanes |= (byte)(usable ? 0 : 1 << number);
        }

        return lanes;
    }

    private static RiskEvidence Evidence(GpuFacts[] gpus) => gpus.Length == 0 ? default : new RiskEvidence(
        gpus.Average(gpu => gpu.UncorrectedErrorsPerHour), gpus.Average(gpu => gpu.UncorrectableRows), gpus.Average(gpu => gpu.ThrottledRatio));

    // One port's worth: a job's traffic does not spread over ports by itself.
    private static int Nic(Inventory inventory) =>
        (int)Math.Min(inventory.NetworkInterfaces.Select(nic => nic.SpeedBitsPerSecond / 1_000_000).DefaultIfEmpty().Max(), int.MaxValue);
}
