namespace NodeAgent.Agent.Spool;

/// <summary>
/// A stretch of records that can be understood alone: it begins with a key frame whose record also carries the schemas. The unit of the
/// index, of thinning and of dropping. Numbers change only while it is the newest, under the index's lock.
/// </summary>
internal sealed class Chapter(int tier, ulong firstId, ulong firstSequence)
{
    /// <summary>0: as sampled; 1: thinned once; 2: twice.</summary>
    internal int Tier => tier;

    /// <summary>Ids in the tier's journal, both included.</summary>
    internal ulong FirstId { get; } = firstId;

    internal ulong LastId { get; set; } = firstId;

    /// <summary>The first sequence that its records stand for.</summary>
    internal ulong FirstSequence { get; } = firstSequence;

    internal ulong LastSequence { get; set; } = firstSequence;

    /// <summary>Payload bytes.</summary>
    internal long Bytes { get; set; }
}

/// <summary>All chapters in the order of their sequences: the thinned ones are the oldest. Thread-safe.</summary>
internal sealed class ChapterIndex
{
    private readonly Lock _lock = new();
    private readonly List<Chapter> _chapters = [];

    internal int Count
    {
        get
        {
            lock (_lock)
            {
                return _chapters.Count;
            }
        }
    }

    internal void Add(Chapter chapter)
    {
        lock (_lock)
        {
            _chapters.Add(chapter);
        }
    }

    /// <summary>Notes that the newest chapter grew.</summary>
    internal void Extend(Chapter chapter, ulong id, ulong sequence, int bytes)
    {
        lock (_lock)
        {
            (chapter.LastId, chapter.LastSequence) = (id, sequence);
            chapter.Bytes += bytes;
        }
    }

    internal void Remove(Chapter chapter)
    {
        lock (_lock)
        {
            _chapters.Remove(chapter);
        }
    }

    internal void Replace(Chapter former, Chapter? by)
    {
        lock (_lock)
        {
            int at = _chapters.IndexOf(former);
            if (by is null)
            {
                _chapters.RemoveAt(at);
            }
            else
            {
                _chapters[at] = by;
            }
        }
    }

    /// <summary>The chapter with this position, oldest first; null past the end.</summary>
    internal Chapter? At(int position)
    {
        lock (_lock)
        {
            return position < _chapters.Count ? _chapters[position] : null;
        }
    }

    internal Chapter? Newest()
    {
        lock (_lock)
        {
            return _chapters.Count == 0 ? null : _chapters[^1];
        }
    }

    /// <summary>The oldest chapter of a tier.</summary>
    internal Chapter? OldestOf(int tier)
    {
        lock (_lock)
        {
            return _chapters.Find(chapter => chapter.Tier == tier);
        }
    }

    internal int CountOf(int tier)
    {
        lock (_lock)
        {
            return _chapters.Count(chapter => chapter.Tier == tier);
        }
    }

    /// <summary>The first chapter that has this sequence or a later one.</summary>
    internal Chapter? EndingAtOrAfter(ulong sequence)
    {
        lock (_lock)
        {
            return _chapters.Find(chapter => chapter.LastSequence >= sequence);
        }
    }

    /// <summary>The last chapter that begins at or before this sequence.</summary>
    internal Chapter? BeginningAtOrBefore(ulong sequence)
    {
        lock (_lock)
        {
            return _chapters.FindLast(chapter => chapter.FirstSequence <= sequence);
        }
    }

    /// <summary>The neighbour before, or after.</summary>
    internal Chapter? Beside(Chapter chapter, int step)
    {
        lock (_lock)
        {
            int at = _chapters.IndexOf(chapter) + step;
            return at >= 0 && at < _chapters.Count && _chapters.Contains(chapter) ? _chapters[at] : null;
        }
    }

    internal bool Contains(Chapter chapter)
    {
        lock (_lock)
        {
            return _chapters.Contains(chapter);
        }
    }

    internal List<Chapter> Snapshot()
    {
        lock (_lock)
        {
            return [.. _chapters];
        }
    }
}
