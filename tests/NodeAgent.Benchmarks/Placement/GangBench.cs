using System.Diagnostics;
using System.Text.Json;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// Part f: gangs on a synthetic leaf/spine fleet (hosts of eight GPUs, NVLink domains of 4, racks of 8, leaves of 32), churning at 85 %
/// offered load. Leaf switches spanned against the fewest possible, and gangs admitted, with and without topology in the request.
/// </summary>
internal static class GangBench
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // Hosts of a gang and their shares: most jobs are small, most GPU-hours are in large ones (philly, spot-GPU traces).
    private static readonly (int Hosts, double Share)[] Sizes = [(1, 0.70), (2, 0.12), (4, 0.08), (8, 0.06), (16, 0.03), (32, 0.01)];

    internal static int Run(string[] arguments)
    {
        int hosts = Arguments.Number(arguments, "--hosts", 512);
        int jobs = Arguments.Number(arguments, "--jobs", 3000);
        var rows = new List<object>();
        Console.WriteLine($"{"request",-12} {"admitted gangs",14} {"leaves spanned",14} {"fewest",8} {"GPU alloc %",12} {"p50 us",8} {"p99 us",8}");
        foreach (bool aware in new[] { false, true })
        {
            rows.Add(RunOne(hosts, jobs, aware));
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement gang", hosts, jobs, rows }));
        return 0;
    }

    private static object RunOne(int hosts, int jobs, bool aware)
    {
        var engine = new PlacementEngine(new FleetCatalog([.. Enumerable.Range(0, hosts).Select(host => new NodeSpec($"host-{host}", "H100", 8, 96000, 1_000_000, 400_000, new NetworkPlace(host / 4, host / 8, host / 32)))]));
        var random = new SplitMix(3);
        double mean = Sizes.Sum(size => size.Share * size.Hosts);
        double rate = 0.85 * hosts / mean, now = 0, area = 0, warm = 0.2 * jobs / rate;
        var leaving = new PriorityQueue<string, double>();
        int offered = 0, admitted = 0;
        long spanned = 0, fewest = 0, used = 0;
        var micros = new List<double>();
        for (int job = 0; job < jobs; job++)
        {
            double next = now + (random.NextExponential() / rate);
            while (leaving.TryPeek(out string? name, out double at) && at <= next)
            {
                leaving.Dequeue();
                area += used * Math.Max(0, at - Math.Max(now, warm));
                now = at;
                long before = engine.Allocations.Count;
                engine.Release(name, Start.AddHours(now));
                used -= before - engine.Allocations.Count;
            }

            area += used * Math.Max(0, next - Math.Max(now, warm));
            now = next;
            int replicas = Draw(ref random);
            double life = random.NextExponential();
            var request = new PlacementRequest($"job-{job}", new ResourceAsk(64000, 500_000, 8)) { Replicas = replicas, Preferred = aware && replicas > 1 ? TopologyLevel.NvlinkDomain : TopologyLevel.Fleet };
            long begin = Stopwatch.GetTimestamp();
            PlacementDecision decision = engine.Place(request, Start.AddHours(now), explain: false);
            micros.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
            offered += replicas > 1 ? 1 : 0;
            if (decision.IsPlaced)
            {
                engine.Commit(decision.Token, Start.AddHours(now));
                leaving.Enqueue(request.Job, now + life);
                used += replicas;
                if (replicas > 1)
                {
                    admitted++;
                    spanned += engine.Domains.Spanned(TopologyLevel.Leaf, decision.Assignments.Select(assignment => engine.State.Catalog.Find(assignment.Node)));
                    fewest += (replicas + 31) / 32;
                }
            }
        }

        micros.Sort();
        double allocation = 100 * area / (hosts * (now - warm));
        Console.WriteLine($"{(aware ? "topology" : "oblivious"),-12} {100.0 * admitted / offered,13:F1}% {(double)spanned / admitted,14:F3} {(double)fewest / admitted,8:F3} {allocation,12:F2} {micros[jobs / 2],8:F0} {micros[jobs * 99 / 100],8:F0}");
        return new { topology = aware, admitted_percent = Math.Round(100.0 * admitted / offered, 1), leaves_spanned = Math.Round((double)spanned / admitted, 3), fewest = Math.Round((double)fewest / admitted, 3), allocation = Math.Round(allocation, 2), p50_us = Math.Round(micros[jobs / 2]), p99_us = Math.Round(micros[jobs * 99 / 100]) };
    }

    private static int Draw(ref SplitMix random)
    {
        double draw = random.NextDouble();
        foreach ((int hosts, double share) in Sizes)
        {
            draw -= share;
            if (draw < 0)
            {
                return hosts;
            }
        }

        return 1;
    }
}
