using System.Collections.Immutable;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Segments;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Journal.Reading;

/// <summary>How far a reader may see.</summary>
public enum ReadLimit
{
    /// <summary>Only what survives a power cut: nothing that is read can be taken back.</summary>
    Durable = 0,

    /// <summary>Also what only the operating system has yet. A power cut may take it back, and its id may be given again.</summary>
    Written = 1,
}

/// <summary>
/// A place in the journal that moves forward, also while the journal is written. For one thread at a time. Reads through its own
/// handle, so it holds up nobody; allocates nothing once its buffers have grown.
/// </summary>
public sealed class JournalReader : IDisposable
{
    private readonly SegmentReader _segment;
    private readonly SegmentCatalog _catalog;
    private readonly LogWriter _writer;
    private readonly Guid _journalId;
    private readonly ReadLimit _limit;
    private ulong _segmentNumber;
    private ulong _lost;
    private bool _held;
    private bool _skipUnopened;

    internal JournalReader(IFileOps files, SegmentCatalog catalog, LogWriter writer, Guid journalId, ulong fromId, ReadLimit limit)
    {
        _segment = new SegmentReader(files);
        _catalog = catalog;
        _writer = writer;
        _journalId = journalId;
        _limit = limit;
        NextId = Math.Max(fromId, 1);
    }

    /// <summary>The id that comes next, if it is there.</summary>
    public ulong NextId { get; private set; }

    /// <summary>Records passed over because damage took them, since the reader was opened.</summary>
    public ulong LostRecords { get; private set; }

    /// <summary>Records passed over because they were released or dropped before they were read.</summary>
    public ulong SkippedRecords { get; private set; }

    /// <summary>
    /// The call that the disk refused, which is why <see cref="TryRead"/> returned false; the next one tries it again. Null when all is well.
    /// </summary>
    public JournalError? Error { get; private set; }

    /// <summary>
    /// Gives up what cannot be read now: the next <see cref="TryRead"/> passes over that block (or segment, if it cannot even be opened)
    /// and counts what was in it as lost.
    /// </summary>
    public void SkipUnreadable()
    {
        if (Error is null) return;
        if (_segment.IsOpen) _segment.SkipUnreadable = true;
        else _skipUnopened = true;
    }

    /// <summary>The next record; false when there is none within the limit now, or when <see cref="Error"/> is set.</summary>
    public bool TryRead(out JournalRecord record)
    {
        record = default;
        Error = null;
        ulong limit = _limit == ReadLimit.Durable ? _writer.DurableId : _writer.WrittenId;
        SkipReleased();
        if (NextId > limit) return false;

        while (TryReadBelow(limit))
        {
            if (_segment.Id < NextId) continue;
            ulong lost = _lost + CountGap(_segment.Id);
            _lost = 0;
            NextId = _segment.Id + 1;
            record = new JournalRecord(_segment.Id, _segment.Type, lost, _segment.Payload);
            return true;
        }

        if (Error is not null) return false;

        // Everything up to the limit was looked at; what did not turn up is gone.
        _lost += CountGap(limit + 1);
        NextId = Math.Max(NextId, limit + 1);
        return false;
    }

    public void Dispose() => _segment.Close();

    private void SkipReleased()
    {
        ulong floor = _writer.Floor;
        if (NextId >= floor) return;
        SkippedRecords += floor - NextId;
        NextId = floor;
    }

    // What is missing below the floor was not lost but released while this reader was under way.
    private ulong CountGap(ulong upTo)
    {
        if (upTo <= NextId) return 0;
        ulong released = Math.Min(Math.Max(_writer.Floor, NextId), upTo);
        SkippedRecords += released - NextId;
        LostRecords += upTo - released;
        return upTo - released;
    }

    /// <summary>The next record of any segment whose id does not exceed the limit; may be one that is too old.</summary>
    private bool TryReadBelow(ulong limit)
    {
        ImmutableArray<SegmentInfo> segments = _catalog.Snapshot();
        while (true)
        {
            if (!_segment.IsOpen && !TryOpenNext(segments)) return false;

            ulong end = SupersededFrom(segments);
            if (NextId < end && TryReadSegment(limit) && _segment.Id < end)
            {
                // A record behind the limit shows that all up to the limit is lost. It waits for its turn.
                _held = _segment.Id > limit;
                return !_held;
            }

            if (Error is not null || !HasNewer(segments)) return false;
            _held = false;
            _segment.Close();
        }
    }

    private bool TryReadSegment(ulong limit)
    {
        if (_held)
        {
            _held = false;
            return true;
        }

        if (_segment.TryRead(limit)) return true;
        if (_segment.Error is { } failed) Error = new JournalError("read segment", SegmentName.Of(_segmentNumber), failed.Errno);
        return false;
    }

    private bool TryOpenNext(ImmutableArray<SegmentInfo> segments)
    {
        for (int i = 0; i < segments.Length; i++)
        {
            SegmentInfo segment = segments[i];
            bool passed = segment.Number <= _segmentNumber || (i + 1 < segments.Length && segments[i + 1].FirstId <= NextId);
            if (passed) continue;

            IoResult opened = _segment.Open(segment.Path, segment.Number, _journalId);
            if (!opened.Ok && opened.Errno != Errno.NoEntry && !_skipUnopened)
            {
                Error = new JournalError("open segment", segment.Path, opened.Errno);
                return false;
            }

            _segmentNumber = segment.Number;
            _skipUnopened = false;
            if (!opened.Ok) continue; // its records show up as a gap
            if (segment.FirstId < NextId) _segment.Seek(NextId);
            return true;
        }

        return false;
    }

    private ulong SupersededFrom(ImmutableArray<SegmentInfo> segments)
    {
        foreach (SegmentInfo segment in segments)
        {
            if (segment.Number > _segmentNumber) return segment.FirstId;
        }

        return ulong.MaxValue;
    }

    private bool HasNewer(ImmutableArray<SegmentInfo> segments) => segments is [.., { } last] && last.Number > _segmentNumber;
}
