using NodeAgent.Detection.Incidents;
using NodeAgent.Placement.Engine;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Which job runs on which GPUs, as placement's books have it, at one moment. Immutable.</summary>
internal sealed class JobMap
{
    private readonly Dictionary<(string Node, string Device), string> _byDevice = [];
    private readonly Dictionary<string, string> _byNode = new(StringComparer.Ordinal); // "" where a node has several jobs
    private readonly Dictionary<string, List<(string Node, string Device)>> _devices = new(StringComparer.Ordinal);

    internal static JobMap Empty { get; } = new([]);

    internal JobMap(IEnumerable<(string Job, string Node, string Device)> places)
    {
        foreach ((string job, string node, string device) in places)
        {
            _byDevice[(node, device)] = job;
            _byNode[node] = _byNode.TryGetValue(node, out string? other) && other != job ? "" : job;
            (_devices.TryGetValue(job, out List<(string, string)>? list) ? list : _devices[job] = []).Add((node, device));
        }
    }

    internal IReadOnlyDictionary<string, List<(string Node, string Device)>> Jobs => _devices;

    /// <summary>The job of a device; of a node, if it has but one; "" for none.</summary>
    internal string JobOf(string node, string device) =>
        device.Length > 0 && _byDevice.TryGetValue((node, device), out string? job) ? job : _byNode.GetValueOrDefault(node, "");

    internal static IEnumerable<(string Job, string Node, string Device)> PlacesOf(IEnumerable<PlacedJob> jobs) =>
        jobs.Where(job => job.Lost is null).SelectMany(job => job.Assignments.SelectMany(place =>
            place.Devices.Select(device => (job.Request.Job, place.Node, "gpu" + device)).DefaultIfEmpty((job.Request.Job, place.Node, ""))));
}

/// <summary>The topology that incidents ask: jobs and domains, replaced as a whole. Safe from any thread.</summary>
internal sealed class LiveTopology : ITopology
{
    private volatile JobMap _jobs = JobMap.Empty;
    private volatile Dictionary<string, string> _domains = [];
    private volatile Dictionary<string, int> _sizes = [];

    // Where nobody says what nodes share, they share the fleet: four that fall silent together are one incident, not four.
    private const string Everybody = "fleet";

    internal JobMap Jobs
    {
        get => _jobs;
        set => _jobs = value;
    }

    internal void SetDomains(Dictionary<string, string> domainByNode)
    {
        _sizes = domainByNode.Values.GroupBy(domain => domain, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        _domains = domainByNode;
    }

    public string JobOf(string node, string device) => _jobs.JobOf(node, device);

    public string DomainOf(string node) => _domains.GetValueOrDefault(node, Everybody);

    public int NodesIn(string domain) => _sizes.GetValueOrDefault(domain, int.MaxValue);
}
