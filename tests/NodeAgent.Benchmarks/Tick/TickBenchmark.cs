using System.Diagnostics;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Benchmarks.Tick;

/// <summary>What each sampler costs on this host: microseconds and bytes a call, and what that makes a second at its interval.</summary>
internal static class TickBenchmark
{
    private const int WarmUp = 50;
    private const int Calls = 500;

    internal static int Run(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"tick takes no argument; got '{arguments[0]}'");
            return 2;
        }

        BootTimeProvider clock = new();
        using SamplerSet set = new(SamplerCatalog.Current, new SamplerContext(), clock);
        double perSecond = 0;
        double bytesPerSecond = 0;
        int columns = 0;
        Console.WriteLine($"{"sampler",-18} {"columns",8} {"us/call",8} {"B/call",8} {"us/s",8}");
        foreach (SamplerRunner runner in set.Runners)
        {
            List<double> times = [];
            long bytes = 0;
            for (int i = 0; i < WarmUp + Calls; i++)
            {
                SampleTime now = new(clock.GetUtcNow().ToUnixTimeMilliseconds(), clock.GetTimestamp());
                long before = GC.GetAllocatedBytesForCurrentThread();
                long start = Stopwatch.GetTimestamp();
                runner.Run(now);
                TimeSpan took = Stopwatch.GetElapsedTime(start);
                long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                if (i >= WarmUp)
                {
                    times.Add(took.TotalMicroseconds);
                    bytes += allocated;
                }
            }

            double median = Arguments.Median(times);
            double rate = 1 / runner.Interval.TotalSeconds;
            perSecond += median * rate;
            bytesPerSecond += bytes * rate / Calls;
            columns += runner.Series.Count;
            Console.WriteLine($"{runner.Name,-18} {runner.Series.Count,8} {median,8:0.0} {bytes / (double)Calls,8:0.0} {median * rate,8:0.0}");
        }

        Console.WriteLine($"{"all",-18} {columns,8} {"",8} {"",8} {perSecond,8:0.0}");
        Console.WriteLine($$"""{"columns":{{columns}},"us_per_s":{{perSecond:0.0}},"alloc_bytes_per_s":{{bytesPerSecond:0.0}}}""");
        return 0;
    }
}
