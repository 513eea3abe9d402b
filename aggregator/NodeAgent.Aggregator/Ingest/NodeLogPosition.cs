namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// From which record on the log must be kept for one node: its newest state record, once every stream that was open then has sent a key
/// frame after it. Before that, frames of the stream still lean on older ones. Kept alike while records arrive and while they are read back.
/// </summary>
internal sealed class NodeLogPosition
{
    private readonly HashSet<ulong> _waiting = []; // streams without a key frame since the candidate
    private ulong _candidate;

    /// <summary>The oldest record that the node's future needs; 0: none yet.</summary>
    internal ulong NeededFrom { get; private set; }

    /// <summary>The newest record that says all about the node, frames' bases aside; 0: none yet.</summary>
    internal ulong StateAt { get; private set; }

    /// <summary>A stream of the node began.</summary>
    internal void OnOpened(ulong id)
    {
        NeededFrom = NeededFrom == 0 ? id : NeededFrom;
        StateAt = StateAt == 0 ? id : StateAt;
    }

    /// <summary>The node's state was written, with these streams open.</summary>
    internal void OnState(ulong id, IEnumerable<ulong> openStreams)
    {
        StateAt = id;
        _candidate = id;
        _waiting.Clear();
        _waiting.UnionWith(openStreams);
        Promote();
    }

    /// <summary>A key frame of the stream, or its end.</summary>
    internal void OnIndependent(ulong stream)
    {
        if (_waiting.Count > 0 && _waiting.Remove(stream))
        {
            Promote();
        }
    }

    private void Promote()
    {
        if (_waiting.Count == 0)
        {
            NeededFrom = Math.Max(_candidate, NeededFrom);
        }
    }
}
