using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Which kernel log records of a node came as events already. Boot and kernel sequence are such an event's identity, whatever spool epoch
/// brings it: an agent that restarts reads its kernel log again, and with two streams they come in no order.
/// </summary>
internal sealed class KernelLogFilter
{
    /// <summary>A node that reboots keeps what the spool still brings of the boots before.</summary>
    internal const int MaxBoots = 4;

    private readonly List<(string BootId, SequenceSet Sequences)> _boots = []; // the latest last

    internal IReadOnlyList<(string BootId, SequenceSet Sequences)> Boots => _boots;

    /// <summary>Notes the record; false: it came before.</summary>
    internal bool IsNew(string bootId, ulong sequence)
    {
        SequenceSet seen = Of(bootId);
        if (seen.Contains(sequence))
        {
            return false;
        }

        seen.Add(sequence, sequence);
        return true;
    }

    internal SequenceSet Of(string bootId)
    {
        int at = _boots.FindIndex(boot => boot.BootId == bootId);
        if (at >= 0)
        {
            return _boots[at].Sequences;
        }

        if (_boots.Count == MaxBoots)
        {
            _boots.RemoveAt(0);
        }

        _boots.Add((bootId, new SequenceSet(HeldRecords.MaxRanges)));
        return _boots[^1].Sequences;
    }
}
