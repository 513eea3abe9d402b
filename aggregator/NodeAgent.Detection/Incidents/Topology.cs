namespace NodeAgent.Detection.Incidents;

/// <summary>What shares what; asked by name, so that it may change while incidents are open.</summary>
public interface ITopology
{
    /// <summary>The job that runs on a device (or node, for an empty device); "" for none.</summary>
    string JobOf(string node, string device);

    /// <summary>What the node shares with its neighbours: leaf switch, rack, power feed; "" where that is not known.</summary>
    string DomainOf(string node);

    /// <summary>How many nodes the domain has.</summary>
    int NodesIn(string domain);
}
