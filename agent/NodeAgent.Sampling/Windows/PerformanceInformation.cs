using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Windows;

/// <summary>PERFORMANCE_INFORMATION (psapi.h). Sizes in pages of <see cref="PageBytes"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PerformanceInformation
{
    /// <summary>Size of the structure.</summary>
    public uint Length;

    public nuint CommitTotal;
    public nuint CommitLimit;
    public nuint CommitPeak;
    public nuint PhysicalTotal;
    public nuint PhysicalAvailable;
    public nuint SystemCache;
    public nuint KernelTotal;
    public nuint KernelPaged;
    public nuint KernelNonpaged;
    public nuint PageBytes;
    public uint Handles;
    public uint Processes;
    public uint Threads;
}
