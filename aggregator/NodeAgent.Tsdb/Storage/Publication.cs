using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>How a change of the segments ended.</summary>
internal enum PublicationResult
{
    Done = 0,
    Refused = 1,
    Unfinished = 2,
}

/// <summary>A change of the segments.</summary>
internal sealed record Publication
{
    /// <summary>Durable files that are to be part of the set.</summary>
    public IReadOnlyList<SegmentInfo> Added { get; init; } = [];

    /// <summary>Numbers of segments that are not any more.</summary>
    public IReadOnlyList<long> Removed { get; init; } = [];

    /// <summary>What the files hold of each schema that has rows in <see cref="Added"/>.</summary>
    public IReadOnlyList<(MemorySchema Schema, SchemaState State)> States { get; init; } = [];

    /// <summary>Every row of the log up to this id is in files with this change; 0: no news.</summary>
    public ulong WalId { get; init; }

    /// <summary>Runs once the change is durable and readers see it, under the publication lock.</summary>
    public Action OnDone { get; init; } = () => { };

    /// <summary>The added files, opened.</summary>
    public List<SegmentFile> Opened { get; } = [];

    public void CloseOpened()
    {
        Opened.ForEach(file => file.Release());
        Opened.Clear();
    }
}
