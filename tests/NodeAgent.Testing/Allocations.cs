namespace NodeAgent.Testing;

/// <summary>Counts what code allocates on this thread.</summary>
public static class Allocations
{
    private const int Attempts = 5;

    /// <summary>
    /// The least of a few attempts: a garbage collection that another test causes closes this thread's allocation buffer and adds
    /// some bytes that nobody allocated, but code that does allocate does so at every attempt.
    /// </summary>
    public static long Of(Action action)
    {
        long least = long.MaxValue;
        for (int i = 0; i < Attempts && least != 0; i++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
