using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using NodeAgent.Sampling.Inventory;

namespace NodeAgent.Sampling.Windows;

/// <summary>What a Windows host is made of, as far as plain calls tell: the rest is unknown, which is "", 0 or -1.</summary>
public sealed class WindowsInventoryReader
{
    private readonly IWin32 _win32;
    private readonly TimeProvider _time;
    private readonly BootTime _boot = new();

    [SupportedOSPlatform("windows")]
    public WindowsInventoryReader(TimeProvider time)
        : this(time, new Win32Calls())
    {
    }

    internal WindowsInventoryReader(TimeProvider time, IWin32 win32)
    {
        _time = time;
        _win32 = win32;
    }

    /// <summary>Never throws for what the system does not tell.</summary>
    public HostInventory Read() => new()
    {
        HostName = Environment.MachineName,
        BootId = "",
        BootUnixMs = _boot.Find(_time.GetUtcNow().ToUnixTimeMilliseconds(), _win32.GetTickCount()),
        Os = RuntimeInformation.OSDescription,
        Kernel = Environment.OSVersion.Version.ToString(),
        Architecture = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            Architecture other => other.ToString().ToLowerInvariant(),
        },
        MachineId = "",
        Virtualization = "",
        MemoryBytes = _win32.GetMemoryStatus(out MemoryStatus memory) ? memory.TotalPhysical : 0,
        Cpu = new CpuInventory("", "", Sockets: 0, Cores: 0, _win32.GetProcessorCount(), MaxHertz: 0),
        Board = new BoardInventory("", "", "", ""),
        NetworkInterfaces = new([]),
        Disks = new([]),
        NumaNodes = new([]),
        Accelerators = new([]),
    };
}
