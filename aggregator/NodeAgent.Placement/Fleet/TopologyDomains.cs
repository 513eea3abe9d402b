namespace NodeAgent.Placement.Fleet;

/// <summary>The nodes of each domain at each level of the network.</summary>
public sealed class TopologyDomains
{
    private readonly int[][][] _domains = new int[5][][];
    private readonly int[][] _domainOf = new int[5][];

    public TopologyDomains(FleetCatalog catalog)
    {
        for (TopologyLevel level = TopologyLevel.Host; level <= TopologyLevel.Fleet; level++)
        {
            (_domains[(int)level], _domainOf[(int)level]) = Group(catalog, level);
        }
    }

    /// <summary>Domains of a level, each as node numbers.</summary>
    public IReadOnlyList<int[]> At(TopologyLevel level) => _domains[(int)level];

    /// <summary>Number of the domain that a node is in.</summary>
    public int Of(TopologyLevel level, int node) => _domainOf[(int)level][node];

    /// <summary>Different domains among nodes: what a gang's traffic has to cross.</summary>
    public int Spanned(TopologyLevel level, IEnumerable<int> nodes) => nodes.Select(node => _domainOf[(int)level][node]).Distinct().Count();

    private static (int[][], int[]) Group(FleetCatalog catalog, TopologyLevel level)
    {
        int[][] groups = [.. Enumerable.Range(0, catalog.Nodes.Length).GroupBy(node => Key(catalog.Nodes[node].Place, level, node)).Select(group => group.ToArray())];
        int[] of = new int[catalog.Nodes.Length];
        for (int domain = 0; domain < groups.Length; domain++)
        {
            foreach (int node in groups[domain])
            {
                of[node] = domain;
            }
        }

        return (groups, of);
    }

    private static int Key(NetworkPlace place, TopologyLevel level, int node) => level switch
    {
        TopologyLevel.Host => node,
        TopologyLevel.NvlinkDomain => place.NvlinkDomain,
        TopologyLevel.Rack => place.Rack,
        TopologyLevel.Leaf => place.Leaf,
        _ => 0,
    };
}
