namespace NodeAgent.Benchmarks.Placement;

/// <summary><c>bench placement PART</c>; each part prints a table and one line of JSON last.</summary>
internal static class PlacementBenchmark
{
    private static readonly (string Name, string What, Func<string[], int> Run)[] Parts =
    [
        ("openb", "fill test on the openb trace: [--traces a,b] [--policies Fgd,Value+repair] [--seeds 5] [--pods F --nodes F --order F] [--out F.jsonl]", OpenbBench.Run),
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
