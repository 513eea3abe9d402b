using System.Diagnostics;

namespace NodeAgent.EndToEnd.Tests;

/// <summary>Waits for something that real processes will do, by looking again and again.</summary>
internal static class Waiting
{
    /// <summary>The first result that is not null; fails with the last reason given when none comes in time.</summary>
    internal static async Task<T> ForAsync<T>(string what, TimeSpan limit, Func<Task<T?>> look)
        where T : class
    {
        Stopwatch watch = Stopwatch.StartNew();
        while (watch.Elapsed < limit)
        {
            if (await look() is { } found)
            {
                return found;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
        }

        throw new TimeoutException($"{what} did not happen within {limit}");
    }
}
