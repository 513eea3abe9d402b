using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Doctor;

/// <summary>What can be wrong with the agent on this very host. Only where an agent is installed; reads, and starts nothing.</summary>
/// <param name="root">Where the host's files are: <c>/</c>.</param>
/// <param name="time">For certificates.</param>
internal sealed class HostExamination(string root, TimeProvider time)
{
    private const double LittleRoom = 0.05;
    private const UnixFileMode WritableByOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    // Where distributions' and NVIDIA's own packages put it.
    private static readonly string[] LibraryFolders = ["usr/lib/x86_64-linux-gnu", "usr/lib64", "usr/lib/aarch64-linux-gnu", "usr/lib"];

    private static readonly TimeSpan ExpiryWarning = TimeSpan.FromDays(30);

    private readonly List<CheckItem> _checks = [];

    /// <summary>Empty: no agent is installed here.</summary>
    public IReadOnlyList<CheckItem> Run()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(At("etc/nodeagent/nodeagent.json")))
        {
            return [];
        }

        Service();
        Certificate();
        Disk();
        Nvml();
        Policy();
        return _checks;
    }

    private string At(string path) => Path.Combine(root, path);

    // systemd makes a control group for a unit that runs, and takes it away when it ends.
    private void Service()
    {
        string group = At("sys/fs/cgroup/system.slice/nodeagent.service/cgroup.procs");
        if (!Directory.Exists(At("run/systemd/system"))) Add(CheckItem.Skip("agent", "no systemd runs here"));
        else if (TryRead(group) is { Length: > 0 }) Add(CheckItem.Ok("agent", "nodeagent.service runs"));
        else Add(CheckItem.Fail("agent", "nodeagent.service does not run", "systemctl status nodeagent; journalctl -u nodeagent -p warning."));
    }

    private void Certificate()
    {
        const string ByHandFix = "Issue a new one: nodectl fleet issue.";
        const string EnrolledFix = "The agent renews it by itself for 14 days, once it reaches the aggregator; after that: nodectl token create, nodeagent enrol --force.";
        string enrolled = At("var/lib/nodeagent/identity/identity.pem");
        string byHand = At("etc/nodeagent/agent.crt");
        bool isByHand = File.Exists(byHand);
        string path = isByHand ? byHand : enrolled;
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            TimeSpan left = certificate.NotAfter.ToUniversalTime() - time.GetUtcNow().UtcDateTime;
            if (left <= TimeSpan.Zero) Add(CheckItem.Fail("agent-certificate", $"{path} expired {Human.Age(-left.TotalMilliseconds)} ago", isByHand ? ByHandFix : EnrolledFix));
            else if (isByHand && left < ExpiryWarning) Add(CheckItem.Warn("agent-certificate", $"{path} expires in {Human.Age(left.TotalMilliseconds)}", ByHandFix));
            else Add(CheckItem.Ok("agent-certificate", $"valid for {Human.Age(left.TotalMilliseconds)}"));
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            Add(CheckItem.Warn("agent-certificate", $"no {enrolled}", "Enrol this host: nodectl token create NAME, then nodeagent enrol (man nodeagent)."));
        }
        catch (Exception broken) when (broken is CryptographicException or IOException or UnauthorizedAccessException)
        {
            Add(CheckItem.Fail("agent-certificate", $"{path} cannot be read: {broken.Message}", "Is it PEM, and may you read it? Try as root."));
        }
    }

    private void Disk()
    {
        string state = At("var/lib/nodeagent");
        string folder = Directory.Exists(state) ? state : root;
        DriveInfo disk = new(folder);
        string free = $"{Human.Bytes(disk.AvailableFreeSpace)} of {Human.Bytes(disk.TotalSize)} free at {folder}";
        if (disk.AvailableFreeSpace < 16 << 20) Add(CheckItem.Fail("disk", free, "Make room: the spool cannot be written, and telemetry is in memory alone."));
        else if (disk.AvailableFreeSpace < disk.TotalSize * LittleRoom) Add(CheckItem.Warn("disk", free, "Make room, or lower spool.max_bytes."));
        else Add(CheckItem.Ok("disk", free));
    }

    private void Nvml()
    {
        const string NvidiaVendor = "0x10de";
        string pci = At("sys/bus/pci/devices");
        // Class 0x03: display controllers; the same board also has audio and USB functions.
        int gpus = !Directory.Exists(pci) ? 0 : Directory.EnumerateDirectories(pci)
            .Count(device => TryRead(Path.Combine(device, "vendor"))?.Trim() == NvidiaVendor && TryRead(Path.Combine(device, "class"))?.StartsWith("0x03", StringComparison.Ordinal) == true);
        if (gpus == 0)
        {
            Add(CheckItem.Skip("nvml", "no NVIDIA GPU on PCI"));
            return;
        }

        string? library = LibraryFolders.Select(At)
            .Select(folder => Path.Combine(folder, "libnvidia-ml.so.1")).FirstOrDefault(File.Exists);
        string driver = Version(TryRead(At("sys/module/nvidia/version")));
        if (library is null)
        {
            Add(CheckItem.Fail("nvml", $"{gpus} GPUs on PCI, but no libnvidia-ml.so.1", "Install the driver's library (libnvidia-compute, libnvidia-ml1), or set gpu.library."));
            return;
        }

        string installed = Version(Path.GetFileName(File.ResolveLinkTarget(library, returnFinalTarget: true)?.FullName ?? "").Replace("libnvidia-ml.so.", "", StringComparison.Ordinal));
        if (driver.Length == 0) Add(CheckItem.Fail("nvml", $"{gpus} GPUs on PCI, but the nvidia module is not loaded", "modprobe nvidia; dmesg says why it does not load."));
        else if (!File.Exists(At("dev/nvidiactl"))) Add(CheckItem.Fail("nvml", $"driver {driver}, but no /dev/nvidiactl", "nvidia-modprobe -c 0, or start nvidia-persistenced."));
        else if (installed.Contains('.', StringComparison.Ordinal) && installed != driver) Add(CheckItem.Fail("nvml", $"the library is {installed}, the loaded driver {driver}", "Reboot, or unload and load the driver: NVML refuses to work across versions."));
        else Add(CheckItem.Ok("nvml", $"{gpus} GPUs on PCI, driver {driver}"));
    }

    [SupportedOSPlatform("linux")]
    private void Policy()
    {
        string path = At("etc/nodeagent/policy.json");
        if (!File.Exists(path))
        {
            Add(CheckItem.Ok("policy", "no policy: this host carries out no command"));
            return;
        }

        UnixFileMode mode = File.GetUnixFileMode(path);
        if ((mode & WritableByOthers) != 0)
        {
            Add(CheckItem.Fail("policy", $"{path} may be written by others (mode {Convert.ToString((int)mode, 8)})", "chown root:root and chmod 0644: until then everything is refused."));
            return;
        }

        try
        {
            using JsonDocument _ = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            Add(CheckItem.Ok("policy", $"{path} is there and only root's to write"));
        }
        catch (JsonException broken)
        {
            Add(CheckItem.Fail("policy", string.Create(CultureInfo.InvariantCulture, $"{path} is not JSON at line {broken.LineNumber + 1}, column {broken.BytePositionInLine + 1}"), "Correct it: until then everything is refused."));
        }
        catch (UnauthorizedAccessException)
        {
            Add(CheckItem.Warn("policy", $"{path} may not be read by you", "Try as root."));
        }
    }

    private void Add(CheckItem check) => _checks.Add(check);

    private static string Version(string? text) => text?.Trim() ?? "";

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return null; // absent and unreadable are the same here: it is not known
        }
    }
}
