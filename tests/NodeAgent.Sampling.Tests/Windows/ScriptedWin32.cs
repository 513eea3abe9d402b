using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NodeAgent.Sampling.Windows;

namespace NodeAgent.Sampling.Tests.Windows;

/// <summary>A Windows host as a test describes it. Tables are handed out in native memory, as the system does.</summary>
internal sealed unsafe class ScriptedWin32 : IWin32
{
    public bool Fails { get; set; }

    public (ulong Idle, ulong Kernel, ulong User) Times { get; set; }

    public MemoryStatus Memory { get; set; }

    public PerformanceInformation Performance { get; set; }

    public ulong UptimeMs { get; set; }

    public uint Processors { get; set; } = 8;

    /// <summary>By letter, 0 is A.</summary>
    public Dictionary<int, ScriptedDrive> Drives { get; } = [];

    public InterfaceRow[] Interfaces { get; set; } = [];

    public int TablesHeld { get; private set; }

    public static InterfaceRow Interface(ulong luid, string alias, uint type = 6, byte flags = 0)
    {
        InterfaceRow row = new() { Luid = luid, Type = type, Flags = flags };
        alias.CopyTo(new Span<char>(row.Alias, InterfaceRow.AliasLength));
        return row;
    }

    public bool GetSystemTimes(out ulong idle, out ulong kernel, out ulong user)
    {
        (idle, kernel, user) = Times;
        return !Fails;
    }

    public bool GetMemoryStatus(out MemoryStatus status)
    {
        status = Memory;
        return !Fails;
    }

    public bool GetPerformanceInfo(out PerformanceInformation information)
    {
        information = Performance;
        return !Fails;
    }

    public ulong GetTickCount() => UptimeMs;

    public uint GetProcessorCount() => Fails ? 0 : Processors;

    public uint GetLogicalDrives()
    {
        uint mask = 0;
        foreach (int letter in Drives.Keys)
        {
            mask |= 1u << letter;
        }

        return Fails ? 0 : mask;
    }

    public uint GetDriveType(ReadOnlySpan<char> root) => Find(root).Type;

    public bool GetDiskFreeSpace(ReadOnlySpan<char> root, out ulong available, out ulong size, out ulong free)
    {
        ScriptedDrive drive = Find(root);
        (available, size, free) = (drive.Available, drive.Size, drive.Free);
        return !drive.IsLocked;
    }

    public bool GetVolumeInformation(ReadOnlySpan<char> root, Span<char> fileSystem, out uint flags)
    {
        ScriptedDrive drive = Find(root);
        flags = drive.Flags;
        drive.FileSystem.CopyTo(fileSystem);
        fileSystem[drive.FileSystem.Length] = '\0';
        return !drive.IsLocked;
    }

    public uint GetIfTable2(out nint table)
    {
        table = 0;
        if (Fails)
        {
            return 8; // ERROR_NOT_ENOUGH_MEMORY
        }

        byte* memory = (byte*)NativeMemory.AllocZeroed((nuint)(InterfaceRow.FirstRowOffset + (Interfaces.Length * Unsafe.SizeOf<InterfaceRow>())));
        *(uint*)memory = (uint)Interfaces.Length;
        Interfaces.CopyTo(new Span<InterfaceRow>(memory + InterfaceRow.FirstRowOffset, Interfaces.Length));
        table = (nint)memory;
        TablesHeld++;
        return 0;
    }

    public void FreeMibTable(nint table)
    {
        NativeMemory.Free((void*)table);
        TablesHeld--;
    }

    private ScriptedDrive Find(ReadOnlySpan<char> root)
    {
        Assert.True(root.Length == 4 && root[1..].SequenceEqual(":\\\0")); // the calls want the backslash and the zero
        return Drives[root[0] - 'A'];
    }
}

/// <summary>One drive. Type 3 is DRIVE_FIXED, 4 DRIVE_REMOTE, 5 DRIVE_CDROM.</summary>
internal sealed record ScriptedDrive(string FileSystem, ulong Size, ulong Free, ulong Available, uint Type = 3, uint Flags = 0, bool IsLocked = false);
