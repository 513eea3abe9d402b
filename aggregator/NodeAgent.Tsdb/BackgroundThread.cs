using System.Runtime.InteropServices;

namespace NodeAgent.Tsdb;

/// <summary>
/// Threads whose work can wait: queries and merges. The runtime's own priorities do nothing on Linux, so there the thread's nice value is
/// set: at 10 it gets a tenth of a processor that something else wants, and all of one that nobody does.
/// </summary>
public static partial class BackgroundThread
{
    private const int PriorityOfProcess = 0; // PRIO_PROCESS; on Linux a process of the scheduler is a thread (setpriority(2))
    private const int CallingThread = 0;
    private const int Nice = 10;

    /// <summary>For the calling thread, until it ends. Where the system refuses, the thread stays as it is.</summary>
    public static void LowerPriority()
    {
        if (OperatingSystem.IsLinux())
        {
            // Raising the nice value needs no privilege; a sandbox that forbids the call costs the preference, not correctness.
            _ = SetPriority(PriorityOfProcess, CallingThread, Nice);
        }
        else
        {
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        }
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int nice);
}
