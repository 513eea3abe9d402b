namespace NodeAgent.Placement.Search;

/// <summary>What a request asks of a node beyond its state.</summary>
internal interface INodeRule
{
    /// <summary>Whether a node may be used.</summary>
    bool Allows(int node);
}
