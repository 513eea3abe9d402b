using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What detection keeps of a node: its devices, and by which names they go.</summary>
internal sealed class WatchedNode(string name)
{
    private readonly Dictionary<(RuleFamily Family, string Device), WatchedDevice> _devices = [];
    private readonly Dictionary<string, string> _gpuByName = new(StringComparer.OrdinalIgnoreCase); // by UUID and by PCI address

    internal string Name => name;

    /// <summary>Of its present schemas, and of the last few that were replaced.</summary>
    internal List<SchemaPlan> Plans { get; } = [];

    internal IEnumerable<WatchedDevice> Devices => _devices.Values;

    /// <summary>What it shares with others; "" as long as no series says.</summary>
    internal string Domain { get; set; } = "";

    internal WatchedDevice? Find(RuleFamily family, string device) => _devices.GetValueOrDefault((family, device));

    internal void Add(WatchedDevice device) => _devices.Add((device.Family, device.Name), device);

    internal void Remove(WatchedDevice device) => _devices.Remove((device.Family, device.Name));

    internal void LearnNames(SeriesInfo series)
    {
        foreach (string label in new[] { "uuid", "pci" })
        {
            if (series.LabelValue(label) is { Length: > 0 } value)
            {
                _gpuByName[value] = "gpu" + series.LabelValue("gpu");
            }
        }
    }

    /// <summary>The GPU of an event's UUID or PCI address, which is told as it is where no series has named it yet.</summary>
    internal string GpuOf(string uuid, string pci) =>
        _gpuByName.TryGetValue(uuid, out string? gpu) || _gpuByName.TryGetValue(pci, out gpu) ? gpu : pci.Length > 0 ? pci : uuid;
}
