using System.Diagnostics;

namespace NodeAgent.EndToEnd.Tests.Faults;

/// <summary>What all fault tests need: waiting with a reason, saying what was measured, and skipping aloud.</summary>
internal static class Fault
{
    /// <summary>A promise in seconds is met here within three times that: tests share two cores with whatever else runs.</summary>
    internal const int Patience = 3;

    /// <summary>A cold start and everything after it on a busy machine.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

#pragma warning disable RS0030 // The true time of this machine, against which real processes are measured.
    internal static long NowUnixMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
#pragma warning restore RS0030

    /// <summary>Looks until it is so; gives how long that took.</summary>
    internal static async Task<TimeSpan> UntilAsync(string what, TimeSpan limit, Func<bool> isSo, Func<string>? state = null)
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (!isSo())
        {
            if (watch.Elapsed > limit)
            {
                throw new TimeoutException($"{what}: not within {limit.TotalSeconds:0} s; {state?.Invoke()}");
            }

            await Task.Delay(Poll, TimeProvider.System).ConfigureAwait(false);
        }

        return watch.Elapsed;
    }

    /// <summary>Lets real processes run for a while under a fault.</summary>
    internal static Task LetRunAsync(double seconds) => Task.Delay(TimeSpan.FromSeconds(seconds), TimeProvider.System);

    /// <summary>One line in the test's output, which ./build.sh e2e shows.</summary>
    internal static void Say(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);

    /// <summary>A measured time beside its promise; fails beyond <see cref="Patience"/> times that.</summary>
    internal static void Within(string what, TimeSpan measured, double promisedSeconds)
    {
        Say($"{what}: {measured.TotalSeconds:0.0} s (promise {promisedSeconds:0.#} s)");
        Assert.True(measured <= TimeSpan.FromSeconds(promisedSeconds * Patience), $"{what} took {measured}, promised are {promisedSeconds} s");
    }
}
