using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Sampling.Windows;

/// <summary>This host's answers.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe partial class Win32Calls : IWin32
{
    private const ushort AllProcessorGroups = 0xffff; // ALL_PROCESSOR_GROUPS, winnt.h

    public bool GetSystemTimes(out ulong idle, out ulong kernel, out ulong user) => Native.GetSystemTimes(out idle, out kernel, out user) != 0;

    public bool GetMemoryStatus(out MemoryStatus status)
    {
        status = new MemoryStatus { Length = (uint)Unsafe.SizeOf<MemoryStatus>() };
        return Native.GlobalMemoryStatusEx(ref status) != 0;
    }

    public bool GetPerformanceInfo(out PerformanceInformation information)
    {
        uint size = (uint)Unsafe.SizeOf<PerformanceInformation>();
        information = new PerformanceInformation { Length = size };
        return Native.GetPerformanceInfo(ref information, size) != 0;
    }

    public ulong GetTickCount() => Native.GetTickCount64();

    public uint GetProcessorCount() => Native.GetActiveProcessorCount(AllProcessorGroups);

    public uint GetLogicalDrives() => Native.GetLogicalDrives();

    public uint GetDriveType(ReadOnlySpan<char> root)
    {
        fixed (char* path = root)
        {
            return Native.GetDriveType(path);
        }
    }

    public bool GetDiskFreeSpace(ReadOnlySpan<char> root, out ulong available, out ulong size, out ulong free)
    {
        fixed (char* path = root)
        {
            return Native.GetDiskFreeSpaceEx(path, out available, out size, out free) != 0;
        }
    }

    public bool GetVolumeInformation(ReadOnlySpan<char> root, Span<char> fileSystem, out uint flags)
    {
        fixed (char* path = root)
        fixed (char* name = fileSystem)
        {
            return Native.GetVolumeInformation(path, null, 0, null, null, out flags, name, (uint)fileSystem.Length) != 0;
        }
    }

    public uint GetIfTable2(out nint table) => Native.GetIfTable2(out table);

    public void FreeMibTable(nint table) => Native.FreeMibTable(table);

    private static partial class Native
    {
        private const string Kernel = "kernel32.dll";
        private const string IpHelper = "iphlpapi.dll";

        [LibraryImport(Kernel), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial int GetSystemTimes(out ulong idle, out ulong kernel, out ulong user);

        [LibraryImport(Kernel), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial int GlobalMemoryStatusEx(ref MemoryStatus status);

        // psapi.h maps GetPerformanceInfo to this name since Windows 7.
        [LibraryImport(Kernel, EntryPoint = "K32GetPerformanceInfo"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial int GetPerformanceInfo(ref PerformanceInformation information, uint size);

        [LibraryImport(Kernel), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial ulong GetTickCount64();

        [LibraryImport(Kernel), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial uint GetActiveProcessorCount(ushort group);

        [LibraryImport(Kernel), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial uint GetLogicalDrives();

        [LibraryImport(Kernel, EntryPoint = "GetDriveTypeW"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial uint GetDriveType(char* root);

        [LibraryImport(Kernel, EntryPoint = "GetDiskFreeSpaceExW"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial int GetDiskFreeSpaceEx(char* directory, out ulong available, out ulong size, out ulong free);

        [LibraryImport(Kernel, EntryPoint = "GetVolumeInformationW"), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial int GetVolumeInformation(
            char* root, char* name, uint nameLength, uint* serial, uint* longestComponent, out uint flags, char* fileSystem, uint fileSystemLength);

        [LibraryImport(IpHelper), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial uint GetIfTable2(out nint table);

        [LibraryImport(IpHelper), DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        internal static partial void FreeMibTable(nint table);
    }
}
