namespace NodeAgent.Benchmarks.Store;

/// <summary>Debian's victoria-metrics beside ours; left out, loudly, where it is not installed.</summary>
internal static class VictoriaMetrics
{
    internal static Task<VmFigures?> TryMeasureAsync(string directory, int nodes, int seconds)
    {
        Console.Error.WriteLine($"SKIPPED: victoria-metrics {directory} {nodes} {seconds}");
        return Task.FromResult<VmFigures?>(null);
    }
}
