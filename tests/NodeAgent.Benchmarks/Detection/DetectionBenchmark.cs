namespace NodeAgent.Benchmarks.Detection;

/// <summary><c>bench detection PART</c>; each part prints a table and one line of JSON last.</summary>
internal static class DetectionBenchmark
{
    private static readonly (string Name, string What, Func<string[], int> Run)[] Parts =
    [
        ("nab", "NAB's scoring of any corpus in its format: [--data DIR --windows FILE] [--thresholds fixed] [--out DIR] [--splits 4] [--tries 120]", NabBench.Run),
        ("smd", "SMD and ASD, honest metrics per machine: [--data DIR] [--machines a,b]", SmdBench.Run),
        ("cost", "ns a sample and bytes a series: [--series 400000] [--rounds 6]", CostBench.Run),
        ("fleet", "injected faults: [--nodes 1000] [--series-per-node 400] [--seconds 1800] [--faults 2 of each kind] [--seed 1] [--verbose]", FleetBench.Run),
        ("live", "the real aggregator: cost of a frame with detection off and on, XID and breach to watcher: [--streams 300] [--seconds 20] [--faults 100]", LiveBench.Run),
        ("straggler", "one slow GPU of 96, four pipeline stages: [--runs 24] [--slow 10]", StragglerBench.Run),
        ("forecast", "time to full of synthetic disks: [--disks 120]", ForecastBench.Run),
    ];

    internal static int Run(string[] arguments)
    {
        (string _, string _, Func<string[], int>? run) = Parts.FirstOrDefault(part => part.Name == arguments.FirstOrDefault());
        if (run is not null)
        {
            return run(arguments[1..]);
        }

        Console.Error.WriteLine("bench detection PART");
        foreach ((string name, string what, _) in Parts)
        {
            Console.Error.WriteLine($"  {name,-10} {what}");
        }

        return 2;
    }
}
