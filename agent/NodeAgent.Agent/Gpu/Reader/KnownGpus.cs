namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// The GPUs this process has seen, by bus id, so that one that NVML no longer counts is named and not just missing.
/// </summary>
internal sealed class KnownGpus
{
    private readonly Dictionary<string, string> _uuids = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Bus ids, in their order on the bus, which is NVML's.</summary>
    internal IEnumerable<string> BusIds => _uuids.Keys.Order(StringComparer.OrdinalIgnoreCase);

    internal void Add(string busId, string uuid) => _uuids[busId] = uuid;

    /// <summary>"" where the GPU was never asked.</summary>
    internal string UuidOf(string busId) => _uuids.GetValueOrDefault(busId, "");
}
