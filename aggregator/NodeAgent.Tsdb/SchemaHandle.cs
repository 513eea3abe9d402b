namespace NodeAgent.Tsdb;

/// <summary>A registered schema: what a writer holds instead of labels. Each store derives its own.</summary>
public abstract class SchemaHandle
{
    private protected SchemaHandle(string node, string sampler, int intervalMs)
    {
        Node = node;
        Sampler = sampler;
        IntervalMs = intervalMs;
    }

    public string Node { get; }

    public string Sampler { get; }

    /// <summary>Expected distance of two rows in milliseconds; 0: unknown.</summary>
    public int IntervalMs { get; }

    /// <summary>The columns, in order.</summary>
    public abstract IReadOnlyList<SeriesInfo> Series { get; }

    /// <summary>Time of the newest row by the agent's clock, milliseconds since 1970 UTC; 0: no row yet.</summary>
    public abstract long NewestUnixMs { get; }
}
