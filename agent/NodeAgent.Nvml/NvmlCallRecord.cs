using System.Runtime.InteropServices;

namespace NodeAgent.Nvml;

/// <summary>
/// Which call is under way, where another process can read it: a call that never returns cannot say so itself. Written by the one thread
/// that calls, Call last when a call begins and first when it ends.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct NvmlCallRecord
{
    /// <summary>A <see cref="NvmlCall"/>; 0: none is under way.</summary>
    public int Call;

    /// <summary>The GPU's place in the reader's list; -1: the call is about all.</summary>
    public int Gpu;

    /// <summary>Stopwatch timestamp, which is the same clock in every process of the host.</summary>
    public long StartedAt;

    /// <summary>Calls that have returned.</summary>
    public long Returned;
}
