using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Clock;

/// <summary>Where the kernel's view of its clock comes from; a test gives another.</summary>
internal interface ITimexSource
{
    /// <summary>Reads it without changing anything. False: refused, with the error number.</summary>
    /// <param name="reading">What the kernel filled.</param>
    /// <param name="state">TIME_OK 0 to TIME_ERROR 5, or the error number where refused.</param>
    bool TryRead(out TimexReading reading, out int state);
}

/// <summary>adjtimex(2) with modes = 0, which needs no privilege.</summary>
internal sealed partial class KernelTimex : ITimexSource
{
    public unsafe bool TryRead(out TimexReading reading, out int state)
    {
        TimexReading filled = default;
        state = AdjustTime(&filled);
        reading = filled;
        if (state >= 0)
        {
            return true;
        }

        state = Marshal.GetLastPInvokeError();
        return false;
    }

    [LibraryImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static unsafe partial int AdjustTime(TimexReading* reading);
}
