using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// The segments at one moment. Immutable; readers lease it, so that a segment that is merged or dropped meanwhile stays open until the
/// last reader that began before is done.
/// </summary>
internal sealed class SegmentSet
{
    private int _leases = 1;

    /// <param name="files">All of them, each with an owner taken for this set.</param>
    public SegmentSet(IEnumerable<SegmentFile> files)
    {
        All = [.. files.OrderBy(file => file.Info.Sequence).ThenBy(file => file.Info.Number)];
        Raw = [.. All.Where(file => file.Info.Kind == SegmentKind.Raw)];
        Minute = [.. All.Where(file => file.Info.Kind == SegmentKind.Minute)];
        Hour = [.. All.Where(file => file.Info.Kind == SegmentKind.Hour)];
    }

    /// <summary>In the order in which later writes win, as are the others.</summary>
    public SegmentFile[] All { get; }

    public SegmentFile[] Raw { get; }

    public SegmentFile[] Minute { get; }

    public SegmentFile[] Hour { get; }

    /// <summary>A set with other members; the caller still lets go of this one.</summary>
    public SegmentSet With(IReadOnlyList<SegmentFile> added, IReadOnlySet<long> removed)
    {
        List<SegmentFile> files = [];
        foreach (SegmentFile file in All)
        {
            if (!removed.Contains(file.Info.Number))
            {
                if (!file.TryRetain())
                {
                    throw new InvalidOperationException($"BUG: segment {file.Info.FileName} is closed while its set is in use.");
                }

                files.Add(file);
            }
        }

        files.AddRange(added);
        return new SegmentSet(files);
    }

    /// <summary>Keeps the set's files open. False: they were let go of; take the newer set.</summary>
    public bool TryLease()
    {
        int leases = Volatile.Read(ref _leases);
        while (leases > 0)
        {
            int seen = Interlocked.CompareExchange(ref _leases, leases + 1, leases);
            if (seen == leases)
            {
                return true;
            }

            leases = seen;
        }

        return false;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref _leases) == 0)
        {
            foreach (SegmentFile file in All)
            {
                file.Release();
            }
        }
    }
}

/// <summary>The newest set of segments, replaced as a whole.</summary>
internal sealed class SegmentSetHolder
{
    private SegmentSet _current = new([]);

    public SegmentSet Current => Volatile.Read(ref _current);

    public SegmentSet Lease()
    {
        while (true)
        {
            SegmentSet set = Current;
            if (set.TryLease())
            {
                return set;
            }
        }
    }

    /// <summary>Puts another set in place; one thread at a time.</summary>
    public void Replace(SegmentSet set) => Interlocked.Exchange(ref _current, set).Release();
}
