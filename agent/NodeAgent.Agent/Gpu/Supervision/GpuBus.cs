using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>
/// NVIDIA GPUs on PCI, looked at now and then beside the tick: what NVML should answer for. One that NVML does not know is reported once.
/// </summary>
internal sealed class GpuBus(HostRoots roots, GpuOrders orders, GpuEventQueue events, TimeProvider time) : IDisposable
{
    private const string Nvidia = "0x10de";

    // Long enough to cost nothing, short enough that a GPU that fell off is told within a minute.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly HashSet<string> _missing = new(StringComparer.Ordinal);
    private ITimer? _timer;

    /// <summary>GPUs on the bus at the last look.</summary>
    internal int Count { get; private set; }

    /// <summary>Bus ids that NVML answers for, or that we leave alone on purpose; set by whoever reads. Null: NVML does not answer at all.</summary>
    internal Func<IReadOnlyCollection<string>?> Answering { get; set; } = () => null;

    internal void Start() => _timer = time.CreateTimer(_ => Look(), null, Interval, Interval);

    /// <summary>Bus ids of all NVIDIA display controllers and accelerators.</summary>
    internal static IReadOnlyList<string> List(HostRoots roots)
    {
        string folder = Path.Combine(roots.Sys, "bus/pci/devices");
        if (!Directory.Exists(folder))
        {
            return [];
        }

        List<string> found = [];
        foreach (string device in Directory.EnumerateFileSystemEntries(folder))
        {
            // Class 03 is display: 0300 VGA, 0302 3D controller. A GPU's audio function is 0403.
            if (ReadText(device, "vendor") == Nvidia && ReadText(device, "class").StartsWith("0x03", StringComparison.Ordinal))
            {
                found.Add(GpuOrders.Normalize(Path.GetFileName(device)));
            }
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    internal void Look()
    {
        IReadOnlyList<string> onBus = List(roots);
        Count = onBus.Count;
        foreach (string busId in onBus)
        {
            orders.Know(busId, "");
        }

        if (Answering() is not { } answering)
        {
            return;
        }

        _missing.RemoveWhere(busId => answering.Contains(busId) || !onBus.Contains(busId));
        foreach (string busId in onBus.Where(busId => !answering.Contains(busId) && _missing.Add(busId)))
        {
            events.Add(
                GpuEventKind.Missing, EventSeverity.Critical, $"GPU {busId} is on PCI, and NVML does not answer for it", ("pci", busId), ("uuid", orders.UuidOf(busId)));
        }
    }

    public void Dispose() => _timer?.Dispose();

    private static string ReadText(string device, string attribute)
    {
        try
        {
            return File.ReadAllText(Path.Combine(device, attribute)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // unplugged between the listing and the look
        }
    }
}
