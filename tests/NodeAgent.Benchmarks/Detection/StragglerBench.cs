using System.Text.Json;
using NodeAgent.Detection.Peers;
using NodeAgent.Placement.Values;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// One slow GPU among 96 in four pipeline stages: its iterations take longer, so the others wait for it; the busy share and clocks tell it
/// apart, the common pace does not. Half of the runs are slow in compute, a quarter in memory, a quarter in the network card; some are healthy.
/// </summary>
internal static class StragglerBench
{
    private const int Gpus = 96;
    private const int Stages = 4;
    private const int Seconds = 900;
    private const int From = 400;

    internal static int Run(string[] arguments)
    {
        int runs = Arguments.Number(arguments, "--runs", 24);
        var rows = new List<object>();
        Console.WriteLine($"{"slower by",-10} {"precision",9} {"recall",7} {"F1",6} {"TTD p50",8} {"p95",6}   {runs} faulty and {runs / 2} healthy runs; own generator: an upper bound");
        foreach (int percent in new[] { 5, 10, 20 })
        {
            int hits = 0, wrong = 0;
            var late = new List<double>();
            for (int run = 0; run < runs + (runs / 2); run++)
            {
                int guilty = run < runs ? (run * 37) % Gpus : -1;
                (int Accused, int Second)[] said = Simulate((ulong)((percent * 1000) + run), guilty, percent / 100.0, run % 4);
                wrong += said.Count(one => one.Accused != guilty || one.Second < From);
                if (said.FirstOrDefault(one => one.Accused == guilty && one.Second >= From) is { Second: > 0 } right)
                {
                    hits++;
                    late.Add(right.Second - From);
                }
            }

            double precision = hits + wrong == 0 ? 0 : (double)hits / (hits + wrong);
            double recall = (double)hits / runs;
            double f1 = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
            double[] order = [.. late.Order()];
            (double median, double slowest) = order.Length == 0 ? (double.NaN, double.NaN) : (order[order.Length / 2], order[(int)(0.95 * (order.Length - 1))]);
            Console.WriteLine($"{percent,8} % {precision,9:F2} {recall,7:F2} {f1,6:F2} {median,8:F0} {slowest,6:F0}");
            rows.Add(new { slower_percent = percent, precision = Math.Round(precision, 3), recall = Math.Round(recall, 3), f1 = Math.Round(f1, 3), ttd_p50_s = double.IsNaN(median) ? -1 : median, ttd_p95_s = double.IsNaN(slowest) ? -1 : slowest });
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "detection straggler", runs, healthy_runs = runs / 2, rows }));
        return 0;
    }

    private static (int, int)[] Simulate(ulong seed, int guilty, double slow, int kind)
    {
        var random = new SplitMix(seed);
        double[] silicon = [.. Enumerable.Range(0, Gpus).Select(_ => 1 + (0.01 * Normal(ref random)))];
        double[] noise = new double[Gpus];
        const int PerStage = Gpus / Stages;
        PeerGroup[] busy = [.. Enumerable.Range(0, Stages).Select(_ => new PeerGroup(PerStage, new PeerOptions { Direction = 1 }))];
        PeerGroup[] clocks = [.. Enumerable.Range(0, Stages).Select(_ => new PeerGroup(PerStage))];
        PeerGroup[] network = [.. Enumerable.Range(0, Stages).Select(_ => new PeerGroup(PerStage))];
        var said = new List<(int, int)>();
        var accused = new HashSet<int>();
        double[] shares = new double[Gpus], rates = new double[Gpus], cards = new double[Gpus];
        for (int second = 0; second < Seconds; second++)
        {
            double load = (second + (int)(seed % 97)) % 240 < 10 ? 0.1 : 0.85 + (0.08 * Math.Sin(second / 40.0));
            double pace = 0;
            for (int gpu = 0; gpu < Gpus; gpu++)
            {
                noise[gpu] = (0.8 * noise[gpu]) + (0.008 * Normal(ref random));
                bool hit = gpu == guilty && second >= From;
                shares[gpu] = (gpu / PerStage % 2 == 0 ? 1 : 0.93) / silicon[gpu] * (hit && kind != 3 ? 1 + slow : 1);
                pace = Math.Max(pace, shares[gpu] * (hit && kind == 3 ? 1 + (slow / 3) : 1));
                rates[gpu] = (1700 * silicon[gpu] * (hit && kind < 2 ? 1 - (0.8 * slow) : 1)) + (8 * Normal(ref random));
                cards[gpu] = ((hit && kind == 3 ? 1 - slow : 1) * 40) + (1.2 * Normal(ref random));
            }

            for (int gpu = 0; gpu < Gpus; gpu++)
            {
                shares[gpu] = Math.Max((load * shares[gpu] / pace) + noise[gpu], 0);
                cards[gpu] *= load / pace;
            }

            for (int stage = 0; stage < Stages; stage++)
            {
                int first = stage * PerStage;
                Accuse(busy[stage].Update(shares.AsSpan(first, PerStage), out PeerVerdict worst), worst, first, second);
                Accuse(clocks[stage].Update(rates.AsSpan(first, PerStage), out worst), worst, first, second);
                Accuse(network[stage].Update(cards.AsSpan(first, PerStage), out worst), worst, first, second);
            }
        }

        return [.. said];

        void Accuse(bool off, PeerVerdict worst, int first, int second)
        {
            if (off && accused.Add(first + worst.Member))
            {
                said.Add((first + worst.Member, second));
            }
        }
    }

    private static double Normal(ref SplitMix random) => (random.NextDouble() + random.NextDouble() + random.NextDouble() + random.NextDouble() - 2) * 1.732;
}
