namespace NodeAgent.Sampling.Windows;

/// <summary>
/// The documented Win32 calls the samplers make, as thin as they are; a test answers them on any platform. False or a non-zero
/// error: the call failed and what it should fill means nothing.
/// </summary>
internal interface IWin32
{
    /// <summary>GetSystemTimes: sums over all processors, in units of 100 ns. Kernel time contains idle time.</summary>
    bool GetSystemTimes(out ulong idle, out ulong kernel, out ulong user);

    /// <summary>GlobalMemoryStatusEx.</summary>
    bool GetMemoryStatus(out MemoryStatus status);

    /// <summary>GetPerformanceInfo.</summary>
    bool GetPerformanceInfo(out PerformanceInformation information);

    /// <summary>GetTickCount64: milliseconds since the system started, sleep included, in steps of 10 to 16 ms.</summary>
    ulong GetTickCount();

    /// <summary>GetActiveProcessorCount of all processor groups; 0: failed.</summary>
    uint GetProcessorCount();

    /// <summary>GetLogicalDrives: bit 0 is A:. 0: failed.</summary>
    uint GetLogicalDrives();

    /// <summary>GetDriveTypeW.</summary>
    /// <param name="root">"C:\" with a zero at its end, as for the other calls on drives.</param>
    uint GetDriveType(ReadOnlySpan<char> root);

    /// <summary>GetDiskFreeSpaceExW: bytes.</summary>
    bool GetDiskFreeSpace(ReadOnlySpan<char> root, out ulong available, out ulong size, out ulong free);

    /// <summary>GetVolumeInformationW: name of the file system ("NTFS") with a zero at its end, and its FILE_* flags.</summary>
    /// <param name="root">See <see cref="GetDriveType"/>.</param>
    /// <param name="fileSystem">MAX_PATH + 1 characters, the most the call needs.</param>
    /// <param name="flags">FILE_READ_ONLY_VOLUME and others.</param>
    bool GetVolumeInformation(ReadOnlySpan<char> root, Span<char> fileSystem, out uint flags);

    /// <summary>GetIfTable2: 0 and a MIB_IF_TABLE2 to be given to <see cref="FreeMibTable"/>, or an error number.</summary>
    uint GetIfTable2(out nint table);

    /// <summary>FreeMibTable.</summary>
    void FreeMibTable(nint table);
}
