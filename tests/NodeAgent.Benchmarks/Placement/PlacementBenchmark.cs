namespace NodeAgent.Benchmarks.Placement;

/// <summary><c>bench placement PART</c>; each part prints a table and one line of JSON last.</summary>
internal static class PlacementBenchmark
{
    private static readonly (string Name, string What, Func<string[], int> Run)[] Parts =
    [
        ("openb", "fill test on the openb trace: [--traces a,b] [--policies Fgd,Value+repair] [--seeds 5] [--pods F --nodes F --order F] [--out F.jsonl]", OpenbBench.Run),
        ("churn", "steady state: [--traces a,b] [--policies Fgd,Blend,Blend+repair] [--seeds 1] [--lifetimes 8]", ChurnBench.Run),
        ("drain", "draining eight-GPU hosts at 80 to 95 % allocation: [--trials 60]", DrainBench.Run),
        ("latency", "1.2 k, 12 k and 121 k nodes, exact search: [--nodes 121300] [--traces default,gpuspec33] [--until 105] [--policy Value]", LatencyBench.Run),
        ("roadef", "machine reassignment: [--instances a1_1,...] [--seconds 60] [--seconds-b 100] of CPU time", SolverBench.Roadef),
        ("lp", "the simplex on Netlib and on the fluid program of openb", SolverBench.Linear),
        ("mig", "MIG profiles, four mixes: [--runs 50]", MigBench.Run),
        ("gang", "gangs on a leaf/spine fleet: [--hosts 512] [--jobs 3000]", GangBench.Run),
        ("telemetry", "GPU-hours lost with and without telemetry: [--hosts 200] [--hours 240] [--seeds 3]", TelemetryBench.Run),
    ];

    internal static int Run(string[] arguments)
    {
        (string _, string _, Func<string[], int>? run) = Parts.FirstOrDefault(part => part.Name == arguments.FirstOrDefault());
        if (run is not null)
        {
            return run(arguments[1..]);
        }

        Console.Error.WriteLine("bench placement PART [--data DIR]");
        foreach ((string name, string what, _) in Parts)
        {
            Console.Error.WriteLine($"  {name,-10} {what}");
        }

        return 2;
    }
}
