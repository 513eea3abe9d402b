using System.Runtime.InteropServices;

namespace NodeAgent.Sampling.Windows;

/// <summary>MEMORYSTATUSEX (sysinfoapi.h). Sizes in bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MemoryStatus
{
    /// <summary>Size of the structure, which the caller sets before the call.</summary>
    public uint Length;

    /// <summary>Percent.</summary>
    public uint Load;

    public ulong TotalPhysical;

    /// <summary>Can be reused at once: the standby, free and zero lists.</summary>
    public ulong AvailablePhysical;

    /// <summary>The commit limit of the system or the process, whichever is smaller: not the size of the page file.</summary>
    public ulong CommitLimit;

    public ulong CommitAvailable;
    public ulong TotalVirtual;
    public ulong AvailableVirtual;
    public ulong AvailableExtendedVirtual;
}
