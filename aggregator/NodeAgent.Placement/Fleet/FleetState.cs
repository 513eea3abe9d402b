namespace NodeAgent.Placement.Fleet;

/// <summary>
/// What is left on every node, in columns, in pages that snapshots share until someone writes (copy on write).
/// A snapshot of 121,300 nodes copies 474 references. One writer; a snapshot may be read from any thread.
/// </summary>
public sealed class FleetState
{
    // 256 nodes are 13 kB of columns: small enough that a write after a snapshot is cheap, large enough that the list of pages is.
    private const int PageBits = 8;
    private const int PageSize = 1 << PageBits;

    private readonly Page[] _pages;
    private object _owner = new();

    /// <summary>An empty fleet: everything of every node is free.</summary>
    public FleetState(FleetCatalog catalog)
    {
        Catalog = catalog;
        _pages = new Page[(catalog.Nodes.Length + PageSize - 1) >> PageBits];
        for (int page = 0; page < _pages.Length; page++)
        {
            _pages[page] = new Page(_owner);
        }

        for (int node = 0; node < catalog.Nodes.Length; node++)
        {
            NodeSpec spec = catalog.Nodes[node];
            Row row = RowOf(node);
            (row.Cpu, row.Memory, row.Nic) = (spec.CpuMilli, spec.MemoryMiB, spec.NicMbps);
            row.Gpus = spec.Mig ? default : GpuLanes.WholeGpus(spec.GpuCount);
        }
    }

    private FleetState(FleetState from)
    {
        Catalog = from.Catalog;
        Version = from.Version;
        _pages = [.. from._pages];
    }

    /// <summary>The nodes.</summary>
    public FleetCatalog Catalog { get; }

    /// <summary>Nodes.</summary>
    public int Count => Catalog.Nodes.Length;

    /// <summary>Grows with every change; what a decision was made on.</summary>
    public long Version { get; private set; }

    /// <summary>A state that shares every page with this one until either writes.</summary>
    public FleetState Snapshot()
    {
        _owner = new object();
        return new FleetState(this);
    }

    /// <summary>Thousandths of a core left.</summary>
    public int Cpu(int node) => _pages[node >> PageBits].Cpu[node & (PageSize - 1)];

    /// <summary>Host memory left.</summary>
    public int Memory(int node) => _pages[node >> PageBits].Memory[node & (PageSize - 1)];

    /// <summary>Bandwidth left.</summary>
    public int Nic(int node) => _pages[node >> PageBits].Nic[node & (PageSize - 1)];

    /// <summary>GPU thousandths left, in device order. For a partitioned node: used memory slices as a mask per device.</summary>
    public GpuLanes Gpus(int node) => _pages[node >> PageBits].Gpus[node & (PageSize - 1)];

    /// <summary>Version of the last change of a node: what an optimistic commit compares.</summary>
    public long VersionOf(int node) => _pages[node >> PageBits].Version[node & (PageSize - 1)];

    /// <summary>Health as placement sees it.</summary>
    public NodeCondition Condition(int node) => _pages[node >> PageBits].Condition[node & (PageSize - 1)];

    /// <summary>Changes what is left; negative amounts take.</summary>
    /// <exception cref="InvalidOperationException">Less than nothing would be left: a bug of the caller.</exception>
    public void Add(int node, int cpuMilli, int memoryMiB, int nicMbps, GpuLanes gpus)
    {
        Row row = RowOf(node);
        row.Cpu += cpuMilli;
        row.Memory += memoryMiB;
        row.Nic += nicMbps;
        row.Gpus = gpus;
        row.Version = ++Version;
        if (row.Cpu < 0 || row.Memory < 0 || row.Nic < 0)
        {
            throw new InvalidOperationException($"BUG: node {Catalog.Nodes[node].Name} is left with {row.Cpu}m CPU, {row.Memory} MiB, {row.Nic} Mbit/s");
        }
    }

    /// <summary>Sets the health of a node.</summary>
    public void SetCondition(int node, NodeCondition condition)
    {
        Row row = RowOf(node);
        row.Condition = condition;
        row.Version = ++Version;
    }

    private Row RowOf(int node)
    {
        ref Page page = ref _pages[node >> PageBits];
        if (page.Owner != _owner)
        {
            page = page.Copy(_owner);
        }

        return new Row(page, node & (PageSize - 1));
    }

    private readonly struct Row(Page page, int at)
    {
        public ref int Cpu => ref page.Cpu[at];

        public ref int Memory => ref page.Memory[at];

        public ref int Nic => ref page.Nic[at];

        public ref GpuLanes Gpus => ref page.Gpus[at];

        public ref long Version => ref page.Version[at];

        public ref NodeCondition Condition => ref page.Condition[at];
    }

    private sealed class Page(object owner)
    {
        public object Owner { get; } = owner;

        public int[] Cpu { get; private init; } = new int[PageSize];

        public int[] Memory { get; private init; } = new int[PageSize];

        public int[] Nic { get; private init; } = new int[PageSize];

        public GpuLanes[] Gpus { get; private init; } = new GpuLanes[PageSize];

        public long[] Version { get; private init; } = new long[PageSize];

        public NodeCondition[] Condition { get; private init; } = new NodeCondition[PageSize];

        public Page Copy(object owner) => new(owner)
        {
            Cpu = [.. Cpu],
            Memory = [.. Memory],
            Nic = [.. Nic],
            Gpus = [.. Gpus],
            Version = [.. Version],
            Condition = [.. Condition],
        };
    }
}
