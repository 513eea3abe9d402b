namespace NodeAgent.Placement.Fleet;

/// <summary>
/// The nodes of a fleet in their fixed order (ties between equal scores go to the smaller index) and the numbers their GPU models have.
/// Immutable; a what-if with more nodes makes another.
/// </summary>
public sealed class FleetCatalog
{
    /// <summary>Most GPU models: a set of models is one 64-bit word.</summary>
    public const int MaxModels = 64;

    private readonly Dictionary<string, int> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _nodes = new(StringComparer.Ordinal);
    private readonly List<string> _modelNames = [];
    private readonly int[] _modelMemoryMiB = new int[MaxModels];

    /// <exception cref="ArgumentException">A name twice, a shape out of range, or more than <see cref="MaxModels"/> models.</exception>
    public FleetCatalog(IReadOnlyList<NodeSpec> nodes)
    {
        Nodes = [.. nodes];
        ModelOf = new byte[Nodes.Length];
        ModelsPresent = new int[MaxModels];
        for (int node = 0; node < Nodes.Length; node++)
        {
            NodeSpec spec = Nodes[node];
            Check(spec);
            if (!_nodes.TryAdd(spec.Name, node))
            {
                throw new ArgumentException($"node {spec.Name} is there twice", nameof(nodes));
            }

            // A node without GPUs, and one with partitioned GPUs, is a model of its own: nothing that asks for whole GPUs may land there.
            int model = ModelNumber(spec.GpuCount == 0 ? "" : spec.Mig ? spec.Model + "/mig" : spec.Model);
            ModelOf[node] = (byte)model;
            ModelsPresent[model]++;
            _modelMemoryMiB[model] = _modelMemoryMiB[model] == 0 ? spec.GpuMemoryMiB : Math.Min(_modelMemoryMiB[model], spec.GpuMemoryMiB);
            GpuMilli += spec.Mig ? 0 : spec.GpuCount * GpuLanes.Whole;
        }
    }

    /// <summary>All nodes; the index is the node's number and its rank in ties.</summary>
    public NodeSpec[] Nodes { get; }

    /// <summary>Model number of each node.</summary>
    public byte[] ModelOf { get; }

    /// <summary>Nodes of each model.</summary>
    public int[] ModelsPresent { get; }

    /// <summary>Names of the models by number.</summary>
    public IReadOnlyList<string> Models => _modelNames;

    /// <summary>Thousandths of all GPUs that take thousandths.</summary>
    public long GpuMilli { get; }

    /// <summary>Number of a node. −1: unknown.</summary>
    public int Find(string name) => _nodes.GetValueOrDefault(name, -1);

    /// <summary>The models of these names as a bit set. Names no node has are left out, so the set may be empty: then nothing fits.</summary>
    /// <param name="names">Empty: every model.</param>
    /// <param name="minGpuMemoryMiB">Least memory of a GPU; 0: any.</param>
    public ulong ModelSet(IEnumerable<string> names, int minGpuMemoryMiB = 0)
    {
        ulong set = 0;
        bool any = true;
        foreach (string name in names)
        {
            any = false;
            set |= _models.TryGetValue(name, out int model) ? 1UL << model : 0;
        }

        set = any ? ulong.MaxValue : set;
        for (int model = 0; minGpuMemoryMiB > 0 && model < _modelNames.Count; model++)
        {
            set &= _modelMemoryMiB[model] >= minGpuMemoryMiB ? ulong.MaxValue : ~(1UL << model);
        }

        return set;
    }

    private int ModelNumber(string name)
    {
        if (_models.TryGetValue(name, out int known))
        {
            return known;
        }

        if (_modelNames.Count == MaxModels)
        {
            throw new ArgumentException($"more than {MaxModels} GPU models");
        }

        _models.Add(name, _modelNames.Count);
        _modelNames.Add(name);
        return _modelNames.Count - 1;
    }

    private static void Check(NodeSpec spec)
    {
        if (spec.GpuCount is < 0 or > GpuLanes.Max || spec.CpuMilli < 0 || spec.MemoryMiB < 0 || spec.NicMbps < 0)
        {
            throw new ArgumentException($"node {spec.Name}: {spec.GpuCount} GPUs (0 to {GpuLanes.Max}), {spec.CpuMilli}m CPU, {spec.MemoryMiB} MiB, {spec.NicMbps} Mbit/s");
        }
    }
}
