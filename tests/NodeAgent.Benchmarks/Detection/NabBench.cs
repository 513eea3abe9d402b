using System.Globalization;
using System.Text;
using System.Text.Json;
using NodeAgent.Benchmarks.Placement;
using NodeAgent.Detection.Backtest;
using NodeAgent.Detection.Lanes;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>
/// The novelty lane under the scoring of the Numenta Anomaly Benchmark, beside published scores. Nothing of a file but its samples up to now
/// reaches the detector: no minimum, no maximum, no length (the published leaders had all three).
/// </summary>
internal static class NabBench
{
    /// <summary>
    /// One threshold for each profile, fixed on the 29 series that the defaults were chosen on; <c>--thresholds fixed</c> applies them to series not seen.
    /// </summary>
    internal static readonly double[] FixedThresholds = [0.0163, 0.0197, 0.0163];

    // What was tried while the defaults were chosen, all told: docs/decisions/detection.md.
    private const int ConfigurationsTried = 32_000;

    private static readonly (string Name, double Standard, double LowFp, double LowFn)[] Published =
    [
        ("ARTime", 74.9, 65.2, 80.4), ("HTM", 70.1, 63.1, 74.3), ("CAD OSE", 69.9, 67.0, 73.2), ("htm.java", 65.5, 53.3, 70.4),
        ("earthgecko Skyline", 58.2, 46.2, 63.8), ("KNN-CAD", 58.0, 43.4, 64.8), ("relative entropy", 54.6, 47.6, 58.8), ("random cut forest", 51.7, 38.4, 59.7),
        ("Twitter ADVec", 47.1, 33.6, 53.5), ("windowed Gaussian", 39.6, 20.9, 47.4), ("Etsy Skyline", 35.7, 27.1, 44.5),
    ];

    internal static int Run(string[] arguments)
    {
        string? folder = PlacementData.Text(arguments, "--data") ?? (PlacementData.Root([]) is { } root ? Path.Combine(root, "nab") : null);
        string? windows = PlacementData.Text(arguments, "--windows") ?? (folder is null ? null : Path.Combine(folder, "windows.json"));
        if (folder is null || !File.Exists(windows))
        {
            return PlacementData.Missing("NAB corpus");
        }

        NabFile[] files = NabFile.ReadAll(folder, windows);
        NabRun[] runs = [.. files.Select(file => new NabRun(file, Scores(file, null)))];
        bool carried = PlacementData.Text(arguments, "--thresholds") == "fixed";
        Console.WriteLine($"{files.Length} series, {files.Sum(file => file.Windows.Length)} windows; {(carried ? "thresholds fixed beforehand" : "threshold at its optimum here: in sample")}");
        int causal = runs.Count(run => Scores(Half(run.File), null).AsSpan().SequenceEqual(run.Scores.AsSpan(0, run.Scores.Length / 2)));
        Console.WriteLine($"no look-ahead: {causal} of {runs.Length} series score the same when cut in half");
        Console.WriteLine($"{"",-44} {"standard",9} {"low FP",9} {"low FN",9}");
        NabOutcome[] own = [.. NabProfile.All.Select(profile => NabScoring.Optimum(runs, profile))];
        NabOutcome[] kept = [.. NabProfile.All.Select((profile, at) => NabScoring.At(runs, profile, FixedThresholds[at]))];
        Row("ours, threshold at its optimum here", own[0].Score, own[1].Score, own[2].Score);
        Row("ours, thresholds fixed beforehand", kept[0].Score, kept[1].Score, kept[2].Score);
        foreach ((string name, double standard, double lowFp, double lowFn) in Published)
        {
            Row(name + " (published, whole corpus)", standard, lowFp, lowFn);
        }

        foreach ((NabRun run, NabOutcome at) in runs.Select(run => (run, NabScoring.At([run], NabProfile.All[0], carried ? FixedThresholds[0] : own[0].Threshold))))
        {
            Console.WriteLine($"  {run.File.Name,-62} windows {at.WindowsFound}/{run.File.Windows.Length}  false alarms {at.FalseAlarms}");
        }

        if (PlacementData.Text(arguments, "--out") is { } target)
        {
            Write(target, runs);
        }

        object? nested = carried ? null : Nested(files, Arguments.Number(arguments, "--splits", 4), Arguments.Number(arguments, "--tries", 120));
        Console.WriteLine(JsonSerializer.Serialize(new
        {
            bench = "detection nab",
            series = files.Length,
            windows = files.Sum(file => file.Windows.Length),
            thresholds = carried ? "fixed" : "optimum here (in sample)",
            score = (carried ? kept : own).Select(outcome => Math.Round(outcome.Score, 2)),
            at_optimum = own.Select(outcome => Math.Round(outcome.Score, 2)),
            at_fixed = kept.Select(outcome => Math.Round(outcome.Score, 2)),
            optimum_thresholds = own.Select(outcome => Math.Round(outcome.Threshold, 5)),
            carried_thresholds = NabProfile.All.Select(profile => Math.Round(NabScoring.CarriedThreshold(runs, profile), 5)),
            false_alarms = (carried ? kept : own)[0].FalseAlarms,
            windows_found = (carried ? kept : own)[0].WindowsFound,
            causal_series = causal,
            configurations_tried = ConfigurationsTried,
            nested,
        }));
        return 0;
    }

    /// <summary>The novelty of each row, from the samples up to it.</summary>
    internal static float[] Scores(NabFile file, NoveltyOptions? options)
    {
        var lanes = new SeriesLanes(1, options);
        float[] scores = new float[file.Values.Length];
        for (int row = 0; row < scores.Length; row++)
        {
            scores[row] = lanes.Update(0, file.Values[row], file.UnixMs[row]).Novelty;
        }

        return scores;
    }

    // Options searched on one half from a wide prior, threshold and all; scored on the other half.
    private static object Nested(NabFile[] files, int splits, int tries)
    {
        var results = new List<(double Train, double Own, double Carried)>();
        Console.WriteLine($"nested: options and threshold searched on one half ({tries} configurations a half), scored on the other");
        for (int split = 0; split < splits; split++)
        {
            var search = new NabSearch(files, (ulong)(split + 1));
            foreach ((NabFile[] train, NabFile[] test) in search.Halves())
            {
                NoveltyOptions best = search.Best(train, tries);
                NabRun[] trained = [.. train.Select(file => new NabRun(file, Scores(file, best)))];
                NabRun[] tested = [.. test.Select(file => new NabRun(file, Scores(file, best)))];
                double threshold = NabScoring.CarriedThreshold(trained, NabProfile.All[0]);
                results.Add((NabScoring.Optimum(trained, NabProfile.All[0]).Score, NabScoring.Optimum(tested, NabProfile.All[0]).Score, NabScoring.At(tested, NabProfile.All[0], threshold).Score));
                Console.WriteLine($"  train {results[^1].Train,5:F1}   other half: own optimum {results[^1].Own,5:F1}, carried threshold {results[^1].Carried,5:F1}");
            }
        }

        (double mean, double own, double kept) = (results.Average(one => one.Train), results.Average(one => one.Own), results.Average(one => one.Carried));
        Console.WriteLine($"  mean  {mean,5:F1}   other half: own optimum {own,5:F1}, carried threshold {kept,5:F1}");
        return new { runs = results.Count, tries_each = tries, train = Math.Round(mean, 1), other_half_own_optimum = Math.Round(own, 1), other_half_carried = Math.Round(kept, 1) };
    }

    private static NabFile Half(NabFile file) => new(file.Name, file.UnixMs[..(file.Values.Length / 2)], file.Values[..(file.Values.Length / 2)], []);

    private static void Row(string name, double standard, double lowFp, double lowFn) => Console.WriteLine($"{name,-44} {standard,9:F1} {lowFp,9:F1} {lowFn,9:F1}");

    private static void Write(string target, NabRun[] runs)
    {
        foreach (NabRun run in runs)
        {
            string path = Path.Combine(target, run.File.Name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var text = new StringBuilder("timestamp,value,anomaly_score\n");
            for (int row = 0; row < run.Scores.Length; row++)
            {
                string time = DateTimeOffset.FromUnixTimeMilliseconds(run.File.UnixMs[row]).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
                text.Append(time).Append(',').Append(run.File.Values[row]).Append(',').Append(run.Scores[row]).Append('\n');
            }

            File.WriteAllText(path, text.ToString());
        }
    }
}
