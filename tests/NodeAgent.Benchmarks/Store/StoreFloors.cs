using System.Globalization;

namespace NodeAgent.Benchmarks.Store;

/// <summary>What is asked of the store, row by row, and what a run found: also where it was missed.</summary>
internal static class StoreFloors
{
    /// <summary>Prints the rows of which the run has a figure.</summary>
    internal static void Print(TextWriter output, OurFigures ours, VmFigures? vm, DeathFigures? death, ChurnFigures? churn)
    {
        output.WriteLine(Line("", "ours", "vm", "asked", ""));
        foreach (Row row in Rows(ours, vm ?? new VmFigures(), death, churn).Where(row => row.Ours > 0))
        {
            string verdict = row.IsMet is not { } isMet ? "nothing to compare with" : isMet ? "met" : "MISSED";
            output.WriteLine(Line(row.Name, Number(row.Ours), row.Theirs > 0 ? Number(row.Theirs) : "-", row.Asked, verdict));
        }
    }

    private static string Line(string name, string ours, string theirs, string asked, string verdict) => $"{name,-52} {ours,10} {theirs,10}  {asked,-26} {verdict}";

    private static IEnumerable<Row> Rows(OurFigures ours, VmFigures vm, DeathFigures? death, ChurnFigures? churn) =>
    [
        Row.AtLeast("M samples/CPU-s into the durable store", ours.SamplesPerCpuS / 1e6, vm.SamplesPerCpuS / 1e6, 15),
        Row.AtLeast("M samples/CPU-s through gRPC at 1 Hz", ours.E2eSamplesPerCpuS / 1e6, vm.E2eSamplesPerCpuS / 1e6, 4),
        Row.AtLeast("M samples/CPU-s through gRPC at 1 Hz, TLS", ours.E2eTlsSamplesPerCpuS / 1e6, vm.E2eSamplesPerCpuS / 1e6, 4),
        Row.AtMost("bytes per raw sample", ours.BytesPerSample, vm.BytesPerSample, 0.95),
        Row.Within("bytes per raw sample for the tiers", ours.TierBytesPerSample, 0.1),
        Row.AtMost("one series, last 5 min, over gRPC (ms)", ours.QLast5mGrpcMs, vm.QLast5mMs, 1),
        Row.AtMost("one series, 2 h by minute, over gRPC (ms)", ours.Q2h1mGrpcMs, vm.Q2h1mMs, 1),
        Row.AtMost("average over all nodes by minute, 2 h, raw (ms)", ours.QFleetAvgMs, vm.QFleetAvgMs, 1 / 5.0),
        Row.AtMost("average over all nodes by minute, 2 h, tier (ms)", ours.QFleetAvgTierMs, vm.QFleetAvgMs, 1 / 20.0),
        Row.AtMost("top 5 nodes by max, 1 h, raw (ms)", ours.QTop5Ms, vm.QTop5Ms, 1 / 5.0),
        Row.AtMost("top 5 nodes by max, 1 h, tier (ms)", ours.QTop5TierMs, vm.QTop5Ms, 1 / 20.0),
        Row.Within("memory per active series (B)", ours.BytesRamPerSeries, 2_048),
        Row.Within("worst ingest stall (ms)", ours.WorstStallMs, 250),
        Row.Within("  but for the time other programs had the processor", ours.WorstStallOwnMs, 250),
        Row.Within("restart with 10 min of log (s)", ours.RestartS, 3),
        Row.Within("  its CPU, of two processors (s)", ours.RestartCpuS, 6),
        Row.Over("ingest beside queries of death, of what it is alone", death?.IngestRatio ?? 0, 0.8),
        Row.Within("churn: memory a live series (B)", churn?.BytesRamPerLiveSeries ?? 0, 2_048),
        Row.Within("churn: worst round of all nodes (ms)", churn?.WorstOwnMs ?? 0, 250),
    ];

    private static string Number(double value) => value.ToString(value >= 100 ? "0" : value >= 1 ? "0.00" : "0.000", CultureInfo.InvariantCulture);

    /// <param name="Name">What it is.</param>
    /// <param name="Ours">0: not measured in this run.</param>
    /// <param name="Theirs">0: there is none.</param>
    /// <param name="Asked">In words.</param>
    /// <param name="IsMet">Null: there is nothing to compare with.</param>
    private sealed record Row(string Name, double Ours, double Theirs, string Asked, bool? IsMet)
    {
        internal static Row AtLeast(string name, double ours, double theirs, double times) =>
            new(name, ours, theirs, Invariant($"{times:0.##} times theirs"), theirs > 0 ? ours >= times * theirs : null);

        internal static Row AtMost(string name, double ours, double theirs, double times) =>
            new(name, ours, theirs, Invariant($"at most {times:0.##} of theirs"), theirs > 0 ? ours <= times * theirs : null);

        internal static Row Within(string name, double ours, double most) => new(name, ours, 0, Invariant($"at most {most:0.##}"), ours <= most);

        internal static Row Over(string name, double ours, double least) => new(name, ours, 0, Invariant($"at least {least:0.##}"), ours >= least);

        private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
    }
}
