using System.Globalization;

namespace NodeAgent.Testing.Processes;

/// <summary>
/// GPUs that are not there: a copy of tests/fake-nvml with a control file of its own, and a /sys on whose PCI bus they are. Whatever shows
/// them says "fake" in names and driver version.
/// </summary>
public sealed class FakeGpus
{
    private readonly string _folder;
    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private int _events;

    private FakeGpus(string folder) => _folder = folder;

    /// <summary>The library to configure.</summary>
    public string Library => Path.Combine(_folder, "libnvidia-ml.so.1");

    /// <summary>Where the library opens its device files: what a process holds is seen in its /proc/PID/fd.</summary>
    public string DeviceFolder => Path.Combine(_folder, "dev");

    /// <summary>A /sys that has the GPUs on its PCI bus and everything else of this host.</summary>
    public string SysRoot => Path.Combine(_folder, "sys");

    /// <summary>What to set for an agent.</summary>
    public IReadOnlyList<string> AgentSettings => [$"gpu.library={Library}", $"sampling.sys_root={SysRoot}"];

    /// <summary>Makes them. Null: there is no gcc here to build the library with.</summary>
    /// <param name="folder">A folder of their own; made if missing.</param>
    /// <param name="count">How many.</param>
    /// <param name="old">A library as of an old driver.</param>
    public static async Task<FakeGpus?> TryCreateAsync(string folder, int count = 8, bool old = false)
    {
        string script = Path.Combine(Repository.Root, "tests", "fake-nvml", "build.sh");
        string built = Path.Combine(Repository.Root, "artifacts", "fake-nvml");
        (int code, string output) = await RealProcess.RunAsync("bash", [script, built], TimeSpan.FromSeconds(120)).ConfigureAwait(false);
        const int NoCompiler = 3;
        if (code == NoCompiler)
        {
            return null;
        }

        if (code != 0)
        {
            throw new InvalidOperationException($"fake-nvml does not build:\n{output}");
        }

        Directory.CreateDirectory(folder);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute); // else the agent refuses to load from it
        }

        FakeGpus gpus = new(Path.GetFullPath(folder));
        File.Delete(Path.Combine(gpus._folder, "fake-nvml.state"));
        File.Copy(Path.Combine(built, old ? "old" : "current", "libnvidia-ml.so.1"), gpus.Library, overwrite: true);
        gpus.MakeSys(count);
        gpus.Set("devices", count.ToString(CultureInfo.InvariantCulture));
        return gpus;
    }

    /// <summary>Bus id of a GPU as the kernel writes it: "0000:18:00".</summary>
    public static string BusId(int gpu) => $"0000:{0x10 + (gpu * 8):x2}:00";

    /// <summary>Uuid of a GPU.</summary>
    public static string Uuid(int gpu) => $"GPU-fa4e0000-0000-4000-8000-{gpu:x12}";

    /// <summary>Sets a line of the control file (tests/fake-nvml/README.md); null takes it away. The library sees it at its next call, or in the call that hangs.</summary>
    public void Set(string key, string? value)
    {
        if (value is null)
        {
            _settings.Remove(key);
        }
        else
        {
            _settings[key] = value;
        }

        string file = Path.Combine(_folder, "fake-nvml.conf");
        File.WriteAllLines(file + ".new", _settings.Select(pair => $"{pair.Key}={pair.Value}"));
        File.Move(file + ".new", file, overwrite: true);
    }

    /// <summary>Has the driver tell an event; type 8 is an XID.</summary>
    public void Tell(int gpu, int type, int data) => Set($"event.{++_events}", $"{gpu},{type},{data}");

    /// <summary>Takes a GPU off the PCI bus, as a hot unplug does.</summary>
    public void Unplug(int gpu) => Directory.Delete(DeviceOf(gpu), recursive: true);

    private string DeviceOf(int gpu) => Path.Combine(SysRoot, "bus", "pci", "devices", BusId(gpu) + ".0");

    private void MakeSys(int count)
    {
        if (Directory.Exists(SysRoot))
        {
            Directory.Delete(SysRoot, recursive: true);
        }

        string devices = Path.Combine(SysRoot, "bus", "pci", "devices");
        Directory.CreateDirectory(devices);
        LinkAll("/sys", SysRoot, except: "bus");
        LinkAll("/sys/bus", Path.Combine(SysRoot, "bus"), except: "pci");
        LinkAll("/sys/bus/pci/devices", devices, except: "");
        for (int gpu = 0; gpu < count; gpu++)
        {
            string device = Directory.CreateDirectory(DeviceOf(gpu)).FullName;
            File.WriteAllText(Path.Combine(device, "vendor"), "0x10de\n");
            File.WriteAllText(Path.Combine(device, "device"), "0x2335\n");
            File.WriteAllText(Path.Combine(device, "class"), "0x030200\n");
            File.WriteAllText(Path.Combine(device, "numa_node"), "0\n");
        }
    }

    private static void LinkAll(string from, string to, string except)
    {
        if (!Directory.Exists(from))
        {
            return;
        }

        foreach (string entry in Directory.EnumerateFileSystemEntries(from).Where(entry => Path.GetFileName(entry) != except))
        {
            File.CreateSymbolicLink(Path.Combine(to, Path.GetFileName(entry)), entry);
        }
    }
}
