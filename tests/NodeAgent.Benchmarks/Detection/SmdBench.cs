using System.Text.Json;
using NodeAgent.Benchmarks.Placement;
using NodeAgent.Detection.Backtest;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// SMD and ASD with metrics that random scores cannot win: VUS-PR, AUC-PR, and events within ten minutes at a threshold carried over from the
/// other machines of the set. SMD starts cold; ASD is warmed up with its history, labels unseen.
/// </summary>
internal static class SmdBench
{
    private const long LatestMs = 600_000;

    internal static int Run(string[] arguments)
    {
        string? folder = PlacementData.Text(arguments, "--data") ?? (PlacementData.Root([]) is { } root ? Path.Combine(root, "smd") : null);
        if (folder is null || !Directory.Exists(folder))
        {
            return PlacementData.Missing("SMD machines");
        }

        SmdMachine[] machines = SmdMachine.ReadAll(folder, PlacementData.List(arguments, "--machines", []));
        var rows = new List<object>();
        Console.WriteLine("published on six SMD machines, VUS-PR: TranAD 0.474, EIF 0.469, PCA 0.462, OCSVM 0.433");
        Console.WriteLine($"{"",-34} {"set",-4} {"VUS-PR",7} {"AUC-PR",7} {"event F1",9} {"P",6} {"R",6} {"delay min",9}  VUS-PR per machine");
        foreach ((string name, Func<SmdMachine, Func<float[], long, float>> make) in SmdDetectors.All)
        {
            foreach (IGrouping<bool, SmdMachine> set in machines.GroupBy(machine => machine.IsAsd))
            {
                rows.Add(Score(name, make, [.. set]));
            }
        }

        Console.WriteLine(JsonSerializer.Serialize(new { bench = "detection smd", rows }));
        return 0;
    }

    private static object Score(string name, Func<SmdMachine, Func<float[], long, float>> make, SmdMachine[] machines)
    {
        float[][] scores = [.. machines.Select(machine => Run(machine, make(machine)))];
        double[] surfaces = [.. machines.Select((machine, at) => VolumeUnderSurface.PrecisionRecall(machine.Labels, scores[at], machine.Period))];
        double area = machines.Select((machine, at) => VolumeUnderSurface.AveragePrecision(machine.Labels, scores[at])).Average();
        EventScore events = EventScore.Sum(machines.Select((machine, at) => Events(machine, scores[at], Carried(machines, scores, at))));
        double minutes = events.DelayRows * machines[0].StepMs / 60_000.0;
        string set = machines[0].IsAsd ? "ASD" : "SMD";
        Console.WriteLine($"{name,-34} {set,-4} {surfaces.Average(),7:F3} {area,7:F3} {events.F1,9:F3} {events.Precision,6:F2} {events.Recall,6:F2} {minutes,9:F1}  {string.Join(" ", machines.Select((machine, at) => $"{machine.Name}={surfaces[at]:F3}"))}");
        return new
        {
            detector = name, set, vus_pr = Math.Round(surfaces.Average(), 3), auc_pr = Math.Round(area, 3), event_f1 = Math.Round(events.F1, 3), delay_minutes = Math.Round(minutes, 1),
            machines = machines.Select((machine, at) => new { machine.Name, vus_pr = Math.Round(surfaces[at], 3) }),
        };
    }

    private static float[] Run(SmdMachine machine, Func<float[], long, float> detector)
    {
        for (int row = 0; row < machine.Train.Length; row++)
        {
            _ = detector(machine.Train[row], machine.TimeOf(row));
        }

        return [.. machine.Test.Select((row, at) => detector(row, machine.TimeOf(machine.Train.Length + at)))];
    }

    // The best threshold of the other machines; the machine itself has no say.
    private static float Carried(SmdMachine[] machines, float[][] scores, int left)
    {
        float[] levels = [.. scores.Where((_, at) => at != left).SelectMany(one => one).Where((_, at) => at % 11 == 0).Order()];
        if (levels.Length == 0)
        {
            return float.PositiveInfinity;
        }

        float best = levels[^1];
        double bestF1 = -1;
        foreach (double tail in new[] { 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.015, 0.01, 0.007, 0.005, 0.003, 0.002, 0.001, 0.0005 })
        {
            float level = levels[(int)((1 - tail) * (levels.Length - 1))];
            double f1 = EventScore.Sum(machines.Select((machine, at) => at == left ? default : Events(machine, scores[at], level))).F1;
            (best, bestF1) = f1 > bestF1 ? (level, f1) : (best, bestF1);
        }

        return best;
    }

    private static EventScore Events(SmdMachine machine, float[] scores, float threshold) =>
        EventScore.Of(machine.Labels, scores, threshold, (int)(LatestMs / machine.StepMs), mergeRows: (int)(LatestMs / machine.StepMs));
}
