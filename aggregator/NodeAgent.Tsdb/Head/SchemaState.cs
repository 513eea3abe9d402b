namespace NodeAgent.Tsdb.Head;

/// <summary>What the files hold of a schema. Immutable.</summary>
internal sealed record SchemaState
{
    public static SchemaState Empty { get; } = new();

    /// <summary>Time of the oldest row; <see cref="long.MaxValue"/>: none.</summary>
    public long FirstUnixMs { get; init; } = long.MaxValue;

    /// <summary>Time of the newest row; <see cref="long.MinValue"/>: none.</summary>
    public long LastUnixMs { get; init; } = long.MinValue;

    /// <summary>Every row of the schema with a log id up to this is in files.</summary>
    public ulong DurableWalId { get; init; }

    /// <summary>The aggregator's time soon after the schema was registered, by which one without rows is forgotten; 0: not yet noted.</summary>
    public long RegisteredUnixMs { get; init; }
}
