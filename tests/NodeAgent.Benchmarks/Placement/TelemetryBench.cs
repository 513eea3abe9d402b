using System.Text.Json;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>
/// Part g: GPU-hours lost to failures, slow GPUs and dead nodes that still look free, with and without telemetry in the decision.
/// The same hosts fail at the same hours in both runs; what the agents report has a known hit rate and a known false-alarm rate.
/// </summary>
internal static class TelemetryBench
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private const double SickShare = 0.08;       // hosts with a rising ECC count or falling link
    private const double SickHazard = 0.04;      // failures an hour while sick
    private const double HealthyHazard = 0.0002;
    private const double HitRate = 0.8;          // sick hosts that detection reports
    private const double FalseAlarm = 0.03;      // healthy hosts that it reports as sick
    private const double SlowShare = 0.08;       // throttled hosts
    private const double Slowness = 0.2;         // part of each hour they lose
    private const int RepairHours = 6;

    internal static int Run(string[] arguments)
    {
        int hosts = Arguments.Number(arguments, "--hosts", 200);
        int hours = Arguments.Number(arguments, "--hours", 240);
        int seeds = Arguments.Number(arguments, "--seeds", 3);
        var rows = new List<object>();
        Console.WriteLine($"{"telemetry",-22} {"lost to failures",16} {"lost to slowness",16} {"GPU-hours used",14} {"lost %",8} {"jobs hit",9} {"refused",8}");
        foreach ((string name, bool filter, bool cost) in new[] { ("none", false, false), ("filter only", true, false), ("filter and cost", true, true) })
        {
            Tally sum = new();
            for (int seed = 1; seed <= seeds; seed++)
            {
                sum.Add(RunOne(hosts, hours, (ulong)seed, filter, cost));
            }

            double percent = 100 * (sum.Failures + sum.Slow) / sum.Used;
            Console.WriteLine($"{name,-22} {sum.Failures / seeds,16:F0} {sum.Slow / seeds,16:F0} {sum.Used / seeds,14:F0} {percent,8:F2} {sum.Hit / seeds,9} {sum.Refused / seeds,8}");
            rows.Add(new { telemetry = name, lost_failures = Math.Round(sum.Failures / seeds), lost_slow = Math.Round(sum.Slow / seeds), used = Math.Round(sum.Used / seeds), lost_percent = Math.Round(percent, 2), refused = sum.Refused / seeds });
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement telemetry", hosts, hours, seeds, hit_rate = HitRate, false_alarm = FalseAlarm, rows }));
        return 0;
    }

    private static Tally RunOne(int hosts, int hours, ulong seed, bool filter, bool cost)
    {
        var world = new SplitMix(seed);
        bool[] sick = [.. Enumerable.Range(0, hosts).Select(_ => world.NextDouble() < SickShare)];
        bool[] slow = [.. Enumerable.Range(0, hosts).Select(_ => world.NextDouble() < SlowShare)];
        bool[] reported = [.. sick.Select(isSick => world.NextDouble() < (isSick ? HitRate : FalseAlarm))];
        var failures = new SplitMix(seed + 1000);
        var workload = new SplitMix(seed + 2000);
        var engine = new PlacementEngine(new FleetCatalog([.. Enumerable.Range(0, hosts).Select(host => new NodeSpec($"host-{host}", "H100", 8, 96000, 1_000_000))]), new EngineOptions { Policy = PolicyName.Blend });
        int[] downUntil = new int[hosts];
        var running = new Dictionary<string, (int Host, int Gpus, int Since, int End)>();
        var tally = new Tally();
        for (int host = 0; host < hosts && cost; host++)
        {
            // What detection says: the hazard it would have if the report is right, times half a checkpoint interval, plus the slow-down.
            double loss = (reported[host] ? SickHazard * 0.5 * 4 : 0) + (slow[host] ? Slowness : 0);
            engine.SetCondition($"host-{host}", new NodeCondition(NodeFilter.None, 0, RiskScale.Classify(loss)));
        }

        for (int hour = 0, next = 0; hour < hours; hour++)
        {
            DateTimeOffset now = Start.AddHours(hour);
            foreach ((string job, (int Host, int Gpus, int Since, int End) run) in running.ToArray())
            {
                if (run.End <= hour)
                {
                    running.Remove(job);
                    engine.Release(job, now);
                    continue;
                }

                tally.Used += run.Gpus;
                tally.Slow += slow[run.Host] ? run.Gpus * Slowness : 0;
            }

            Fail(engine, ref failures, hour, now, sick, downUntil, running, tally, filter);
            for (int arrivals = (int)(hosts * 8 * 0.6 / (2.6 * 8)); arrivals > 0; arrivals--)
            {
                int gpus = 1 << workload.Next(4);
                int length = 1 + (int)(8 * workload.NextExponential());
                gpus = gpus == 8 && workload.Next(2) == 0 ? 1 : gpus;
                string job = "job-" + next++;
                PlacementDecision decision = engine.Place(new PlacementRequest(job, new ResourceAsk(4000 * gpus, 8192 * gpus, gpus)) { CheckpointEvery = TimeSpan.FromHours(4) }, now, explain: false);
                if (!decision.IsPlaced)
                {
                    tally.Refused++;
                    continue;
                }

                engine.Commit(decision.Token, now);
                int host = engine.State.Catalog.Find(decision.Assignments[0].Node);
                if (downUntil[host] > hour)
                {
                    // A dead host that still looks free: the job fails to start, and its hour is lost.
                    tally.Failures += gpus;
                    tally.Hit++;
                    engine.Release(job, now);
                    continue;
                }

                running[job] = (host, gpus, hour, hour + length);
            }
        }

        return tally;
    }

    private static void Fail(
        PlacementEngine engine, ref SplitMix failures, int hour, DateTimeOffset now, bool[] sick, int[] downUntil, Dictionary<string, (int Host, int Gpus, int Since, int End)> running, Tally tally, bool filter)
    {
        for (int host = 0; host < sick.Length; host++)
        {
            bool fails = failures.NextDouble() < (sick[host] ? SickHazard : HealthyHazard);
            NodeCondition condition = engine.State.Condition(host);
            if (downUntil[host] == hour && condition.Filter != NodeFilter.None)
            {
                engine.SetCondition($"host-{host}", condition with { Filter = NodeFilter.None });
            }

            if (!fails || downUntil[host] > hour)
            {
                continue;
            }

            downUntil[host] = hour + RepairHours;
            foreach ((string job, (int Host, int Gpus, int Since, int End) run) in running.Where(entry => entry.Value.Host == host).ToArray())
            {
                tally.Failures += run.Gpus * (((hour - run.Since) % 4) + 1);
                tally.Hit++;
                running.Remove(job);
                engine.Release(job, now);
            }

            if (filter)
            {
                engine.SetCondition($"host-{host}", engine.State.Condition(host) with { Filter = NodeFilter.Dead });
            }
        }
    }

    private sealed class Tally
    {
        public double Failures { get; set; }

        public double Slow { get; set; }

        public double Used { get; set; }

        public int Hit { get; set; }

        public int Refused { get; set; }

        public void Add(Tally other)
        {
            Failures += other.Failures;
            Slow += other.Slow;
            Used += other.Used;
            Hit += other.Hit;
            Refused += other.Refused;
        }
    }
}
