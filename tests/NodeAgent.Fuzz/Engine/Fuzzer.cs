namespace NodeAgent.Fuzz.Engine;

/// <summary>How long one target runs: until <see cref="For"/> has passed or <see cref="Count"/> inputs were tried, whichever is first.</summary>
internal sealed record FuzzBounds(int Seed, TimeSpan For, long Count);

/// <summary>
/// Tries one target after the other. A failure is any exception, or more memory than an honest parse could want; it is saved, and
/// printed with what repeats it. An input that does not come back is the <see cref="Watchdog"/>'s.
/// </summary>
internal sealed class Fuzzer(FuzzBounds bounds, FailureReport report, TimeProvider time)
{
    // Per input of at most 64 KiB: far above any honest parse, far below harm.
    private const long MaxAllocatedBytes = 64L << 20;

    /// <summary>The exit code: 0 when all targets held, 1 when one failed. The others still run.</summary>
    internal int RunAll(IEnumerable<IFuzzTarget> targets)
    {
        int exitCode = 0;
        foreach (IFuzzTarget target in targets)
        {
            exitCode |= Run(target) ? 0 : 1;
        }

        return exitCode;
    }

    /// <summary>Null, or why this input fails the target.</summary>
    internal static string? Try(IFuzzTarget target, byte[] input)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            target.Run(input);
        }
        catch (Exception e)
        {
            return e.ToString();
        }

        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated > MaxAllocatedBytes ? $"{allocated} bytes allocated; at most {MaxAllocatedBytes} are sane" : null;
    }

    private bool Run(IFuzzTarget target)
    {
        Mutator mutator = new(target, bounds.Seed);
        using Watchdog watchdog = new(report, time);
        long started = time.GetTimestamp();
        long tried = 0;
        for (; tried < bounds.Count && time.GetElapsedTime(started) < bounds.For; tried++)
        {
            FuzzInput input = new(target.Name, bounds.Seed, tried, mutator.Next());
            watchdog.Enter(input);
            string? failure = Try(target, input.Bytes);
            watchdog.Leave();
            if (failure is not null)
            {
                report.Failed(input, failure);
                return false;
            }
        }

        report.Held(target.Name, tried, time.GetElapsedTime(started), bounds.Seed);
        return true;
    }
}
