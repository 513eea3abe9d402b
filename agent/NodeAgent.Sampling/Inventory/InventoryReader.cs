using System.Runtime.InteropServices;
using NodeAgent.Sampling.Disk;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Rdma;

namespace NodeAgent.Sampling.Inventory;

/// <summary>
/// Reads what the host is made of. It walks a few hundred small files and allocates, so it is for the start and for a slow
/// look now and then; compare the result with the last one to see a change.
/// </summary>
public sealed class InventoryReader(HostRoots roots)
{
    private long _bootUnixMs;

    /// <summary>Never throws for what is missing or unreadable: such fields are "", 0 or -1.</summary>
    public HostInventory Read()
    {
        CpuinfoReading cpuinfo = CpuinfoParser.Parse(ReadAll(Path.Combine(roots.Proc, "cpuinfo")));
        BoardInventory board = ReadBoard();
        return new HostInventory
        {
            HostName = Sysfs.ReadText(Path.Combine(roots.Proc, "sys/kernel/hostname")),
            BootId = Sysfs.ReadText(Path.Combine(roots.Proc, "sys/kernel/random/boot_id")),
            BootUnixMs = SteadyBootTime(ReadBootTime()),
            Os = OsReleaseParser.PrettyName(ReadAll(Path.Combine(roots.Etc, "os-release"))),
            Kernel = Sysfs.ReadText(Path.Combine(roots.Proc, "sys/kernel/osrelease")),
            Architecture = ReadArchitecture(),
            MachineId = Sysfs.ReadText(Path.Combine(roots.Etc, "machine-id")),
            Virtualization = Virtualization.Detect(roots, cpuinfo, board),
            MemoryBytes = ReadMemory(),
            Cpu = ReadCpu(cpuinfo),
            Board = board,
            NetworkInterfaces = new(ReadInterfaces()),
            Disks = new(ReadDisks()),
            NumaNodes = new(ReadNumaNodes()),
            Accelerators = new(ReadAccelerators()),
        };
    }

    private CpuInventory ReadCpu(CpuinfoReading cpuinfo)
    {
        string directory = Path.Combine(roots.Sys, "devices/system/cpu");
        ulong limit = 0;
        HashSet<string> sockets = [];
        HashSet<string> cores = [];
        foreach (string name in Sysfs.Names(directory, "cpu").Where(name => Sysfs.NumberAfter(name, "cpu") is not null))
        {
            limit = Math.Max(limit, (ulong)Math.Max(0, Sysfs.ReadInteger(Path.Combine(directory, name, "cpufreq/cpuinfo_max_freq")) ?? 0) * 1000);
            string package = Sysfs.ReadText(Path.Combine(directory, name, "topology/physical_package_id"));
            string core = FirstOf(
                Sysfs.ReadText(Path.Combine(directory, name, "topology/thread_siblings_list")), // core_id repeats on each die of a package
                Sysfs.ReadText(Path.Combine(directory, name, "topology/core_id")));
            if (package.Length > 0)
            {
                sockets.Add(package);
            }

            if (core.Length > 0)
            {
                cores.Add($"{package}/{core}");
            }
        }

        // sysfs has the topology on every architecture; cpuinfo only on x86, and not in every container.
        return new CpuInventory(
            cpuinfo.Model,
            cpuinfo.Vendor,
            sockets.Count > 0 ? (uint)sockets.Count : cpuinfo.Sockets,
            cores.Count > 0 ? (uint)cores.Count : cpuinfo.Cores,
            cpuinfo.Threads > 0 ? cpuinfo.Threads : CpuListParser.Count(Sysfs.ReadText(Path.Combine(directory, "online"))),
            limit > 0 ? limit : cpuinfo.NamedHertz);
    }

    private BoardInventory ReadBoard()
    {
        string directory = Path.Combine(roots.Sys, "class/dmi/id");
        return new BoardInventory(Text("sys_vendor"), Text("product_name"), Text("bios_version"), Text("product_serial"));

        string Text(string name) => Sysfs.ReadText(Path.Combine(directory, name));
    }

    private IEnumerable<NetworkInterfaceInventory> ReadInterfaces()
    {
        string directory = Path.Combine(roots.Sys, "class/net");
        Dictionary<string, string> rdma = ReadRdmaDevices();
        foreach (string name in Sysfs.Names(directory))
        {
            string device = Path.Combine(directory, name);
            if (!Path.Exists(Path.Combine(device, "device")) && !Path.Exists(Path.Combine(device, "bonding")))
            {
                continue; // what containers and bridges make and unmake is not what the host is made of
            }

            long megabits = Sysfs.ReadInteger(Path.Combine(device, "speed")) ?? 0;
            yield return new NetworkInterfaceInventory(
                name,
                Sysfs.ReadText(Path.Combine(device, "address")),
                Sysfs.LinkName(Path.Combine(device, "device/driver")),
                (ulong)Math.Max(0, megabits) * 1_000_000,
                PciAddress.Of(Path.Combine(device, "device")),
                (int)(Sysfs.ReadInteger(Path.Combine(device, "device/numa_node")) ?? -1),
                (uint)Math.Max(0, Sysfs.ReadInteger(Path.Combine(device, "mtu")) ?? 0),
                rdma.GetValueOrDefault(name, ""));
        }
    }

    private Dictionary<string, string> ReadRdmaDevices()
    {
        string directory = Path.Combine(roots.Sys, "class/infiniband");
        Dictionary<string, string> devices = [];
        foreach (string name in Sysfs.Names(directory))
        {
            foreach (string port in Sysfs.Names(Path.Combine(directory, name, "ports")))
            {
                devices[RdmaTopology.NetworkInterface(Path.Combine(directory, name), port)] = name;
            }
        }

        return devices;
    }

    private IEnumerable<DiskInventory> ReadDisks()
    {
        string directory = Path.Combine(roots.Sys, "block");
        foreach (string name in Sysfs.Names(directory))
        {
            string device = Path.Combine(directory, name);
            if (DiskFilter.IsExcluded(name) || !Path.Exists(Path.Combine(device, "device")))
            {
                continue; // made of memory or of other disks (zram, dm, md), or a partition
            }

            yield return new DiskInventory(
                name,
                Sysfs.ReadText(Path.Combine(device, "device/model")),
                (ulong)Math.Max(0, Sysfs.ReadInteger(Path.Combine(device, "size")) ?? 0) * 512, // sectors of 512 bytes, whatever the drive's
                Sysfs.ReadText(Path.Combine(device, "queue/rotational")) == "1",
                FirstOf(Sysfs.ReadText(Path.Combine(device, "device/serial")), Sysfs.ReadText(Path.Combine(device, "serial"))),
                PciAddress.Of(Path.Combine(device, "device")));
        }
    }

    private IEnumerable<NumaNodeInventory> ReadNumaNodes()
    {
        string directory = Path.Combine(roots.Sys, "devices/system/node");
        foreach (string name in Sysfs.Names(directory, "node"))
        {
            if (Sysfs.NumberAfter(name, "node") is int id)
            {
                string meminfo = ReadAll(Path.Combine(directory, name, "meminfo"));
                yield return new NumaNodeInventory(
                    (uint)id, Sysfs.ReadText(Path.Combine(directory, name, "cpulist")), KilobyteParser.Bytes(meminfo, "MemTotal:"));
            }
        }
    }

    private IEnumerable<PciDeviceInventory> ReadAccelerators()
    {
        string directory = Path.Combine(roots.Sys, "bus/pci/devices");
        foreach (string address in Sysfs.Names(directory))
        {
            string device = Path.Combine(directory, address);
            if (PciAddress.IsAccelerator(PciAddress.ReadHex(Path.Combine(device, "class")), PciAddress.ReadHex(Path.Combine(device, "vendor"))))
            {
                yield return new PciDeviceInventory(
                    address,
                    PciAddress.ReadHex(Path.Combine(device, "vendor")),
                    PciAddress.ReadHex(Path.Combine(device, "device")),
                    Sysfs.LinkName(Path.Combine(device, "driver")),
                    (int)(Sysfs.ReadInteger(Path.Combine(device, "numa_node")) ?? -1));
            }
        }
    }

    private ulong ReadMemory() => KilobyteParser.Bytes(ReadAll(Path.Combine(roots.Proc, "meminfo")), "MemTotal:");

    // The kernel derives it from the wall clock, in whole seconds: a clock that is being disciplined makes it flip between two.
    private long SteadyBootTime(long bootUnixMs)
    {
        if (Math.Abs(bootUnixMs - _bootUnixMs) > 1000)
        {
            _bootUnixMs = bootUnixMs;
        }

        return _bootUnixMs;
    }

    private long ReadBootTime()
    {
        foreach (ReadOnlySpan<char> line in ReadAll(Path.Combine(roots.Proc, "stat")).AsSpan().EnumerateLines())
        {
            if (line.StartsWith("btime ") && long.TryParse(line["btime ".Length..], out long seconds) && seconds is > 0 and < 1L << 40)
            {
                return seconds * 1000;
            }
        }

        return 0;
    }

    private string ReadArchitecture()
    {
        string said = Sysfs.ReadText(Path.Combine(roots.Proc, "sys/kernel/arch")); // since kernel 6.1
        return said.Length > 0 ? said : RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            Architecture other => other.ToString().ToLowerInvariant(),
        };
    }

    private static string FirstOf(string first, string second) => first.Length > 0 ? first : second;

    private static string ReadAll(string path)
    {
        using KernelFile? file = KernelFile.TryOpen(path, initialBytes: 64 * 1024);
        return file is not null && file.TryRead(out ReadOnlySpan<byte> text) ? System.Text.Encoding.UTF8.GetString(text) : "";
    }
}
