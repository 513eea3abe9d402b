using System.Text.Json;
using NodeAgent.Placement.Mig;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Placement;

/// <summary>Part e: MIG profiles on 100 devices, filling (130 % arrivals) and churning (offered load 1.1), four mixes.</summary>
internal static class MigBench
{
    private static readonly (string Name, double[] Shares)[] Mixes =
    [
        ("uniform", [1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6]),
        ("small", [0.5, 0.15, 0.2, 0.1, 0.04, 0.01]),
        ("big", [0.1, 0.05, 0.1, 0.3, 0.25, 0.2]),
        ("bimodal", [0.45, 0.05, 0.0, 0.0, 0.1, 0.4]),
    ];

    private const int Devices = 100;

    internal static int Run(string[] arguments)
    {
        int runs = Arguments.Number(arguments, "--runs", 50);
        var rows = new List<object>();
        Console.WriteLine($"{"mix",-8} {"policy",-10} {"fill jobs",10} {"fill %",8} {"churn %",8}");
        foreach ((string mix, double[] shares) in Mixes)
        {
            var value = new MigValue(shares);
            foreach ((string policy, Func<int[], MigProfile, (int, int)> place) in Policies(value))
            {
                double jobs = 0, filled = 0, churned = 0;
                for (int run = 1; run <= runs; run++)
                {
                    (double accepted, double share) = Fill(shares, place, (ulong)run);
                    (jobs, filled, churned) = (jobs + accepted, filled + share, churned + Churn(shares, place, (ulong)run));
                }

                Console.WriteLine($"{mix,-8} {policy,-10} {jobs / runs,10:F1} {filled / runs,8:F2} {churned / runs,8:F2}");
                rows.Add(new { mix, policy, fill_jobs = Math.Round(jobs / runs, 1), fill_percent = Math.Round(filled / runs, 2), churn_percent = Math.Round(churned / runs, 2) });
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "placement mig", runs, rows }));
        return 0;
    }

    private static (string, Func<int[], MigProfile, (int, int)>)[] Policies(MigValue value) =>
    [
        ("FirstFit", (devices, profile) => First(devices, profile)),
        ("BestFit", (devices, profile) => First(devices, profile, fullest: true)),
        ("Value", (devices, profile) => Best(devices, profile, value, 0)),
        ("Value+frag", (devices, profile) => Best(devices, profile, value, 1)),
    ];

    private static (int, int) First(int[] devices, MigProfile profile, bool fullest = false)
    {
        (int Device, int Start) best = (-1, -1);
        for (int device = 0; device < devices.Length; device++)
        {
            int start = MigBaseline.FirstStart(devices[device], profile);
            if (start >= 0 && (best.Device < 0 || (fullest && MigProfile.Used(devices[device]) > MigProfile.Used(devices[best.Device]))))
            {
                best = (device, start);
            }
        }

        return best;
    }

    private static (int, int) Best(int[] devices, MigProfile profile, MigValue value, double fragments)
    {
        (int Device, int Start) best = (-1, -1);
        double bestScore = double.NegativeInfinity;
        for (int device = 0; device < devices.Length; device++)
        {
            if (value.TryBest(devices[device], profile, fragments, out int start, out double score) && score > bestScore)
            {
                (best, bestScore) = ((device, start), score);
            }
        }

        return best;
    }

    private static (double Jobs, double Percent) Fill(double[] shares, Func<int[], MigProfile, (int, int)> place, ulong seed)
    {
        var random = new SplitMix(seed);
        int[] devices = new int[Devices];
        int accepted = 0;
        for (double arrived = 0; arrived < 1.3 * 8 * Devices;)
        {
            MigProfile profile = Draw(shares, ref random);
            arrived += profile.MemorySlices;
            (int device, int start) = place(devices, profile);
            if (device >= 0)
            {
                devices[device] += profile.Bits(start);
                accepted++;
            }
        }

        return (accepted, devices.Sum(MigProfile.Used) * 100.0 / (8 * Devices));
    }

    private static double Churn(double[] shares, Func<int[], MigProfile, (int, int)> place, ulong seed)
    {
        var random = new SplitMix(seed);
        int[] devices = new int[Devices];
        double mean = MigProfile.All.Select((profile, index) => shares[index] * profile.MemorySlices).Sum();
        double rate = 1.1 * 8 * Devices / mean, now = 0, area = 0;
        var leaving = new PriorityQueue<(int Device, int Bits), double>();
        const double warm = 2, end = 8;
        while (now < end)
        {
            double next = now + (random.NextExponential() / rate);
            while (leaving.TryPeek(out (int Device, int Bits) gone, out double at) && at <= Math.Min(next, end))
            {
                area += devices.Sum(MigProfile.Used) * Math.Max(0, at - Math.Max(now, warm));
                now = at;
                leaving.Dequeue();
                devices[gone.Device] -= gone.Bits;
            }

            area += devices.Sum(MigProfile.Used) * Math.Max(0, Math.Min(next, end) - Math.Max(now, warm));
            now = next;
            MigProfile profile = Draw(shares, ref random);
            double life = random.NextExponential();
            (int device, int start) = place(devices, profile);
            if (device >= 0)
            {
                devices[device] += profile.Bits(start);
                leaving.Enqueue((device, profile.Bits(start)), now + life);
            }
        }

        return 100 * area / (8 * Devices * (end - warm));
    }

    private static MigProfile Draw(double[] shares, ref SplitMix random)
    {
        double draw = random.NextDouble();
        for (int index = 0; index < shares.Length; index++)
        {
            draw -= shares[index];
            if (draw < 0)
            {
                return MigProfile.All[index];
            }
        }

        return MigProfile.All[0];
    }
}
