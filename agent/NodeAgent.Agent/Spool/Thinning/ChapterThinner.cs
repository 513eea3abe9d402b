using NodeAgent.Agent.Frames;
using NodeAgent.Journal;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Writes a chapter again, coarser, into the next tier. First all of the new one, then the mark that it takes the old one's place, synced; only then is
/// the old one let go. A crash in between leaves either the old one, or both and the mark that says which counts. Events and inventories
/// are copied as they are. Runs on the spool's disk thread.
/// </summary>
internal sealed class ChapterThinner(SpoolFiles files, SpoolLedger ledger, SchemaBook book)
{
    // As between two key frames that are sampled: a reader that lost its place finds one soon.
    private const int FramesPerKey = 60;

    // Derived schemas remembered, so that the next chapter uses the same ids.
    private const int MaxTargets = 512;

    private static readonly TimeSpan[] s_windows = [TimeSpan.Zero, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)];

    private readonly Dictionary<(uint Id, int Tier), SchemaShape> _targets = [];
    private readonly Dictionary<uint, SchemaShape?> _shapes = [];
    private readonly HashSet<uint> _written = [];
    private readonly List<SchemaShape> _all = []; // of the chapter so far
    private bool _isEchoed;
    private readonly List<BookedSchema> _preambleSchemas = [];
    private readonly ProtoWriter _message = new();
    private readonly ProtoWriter _preamble = new();
    private readonly ProtoWriter _scratch = new();
    private byte[] _payload = new byte[64 * 1024];
    private Chapter? _made;
    private ulong _thinnedRecords;
    private ulong _thinnedSamples;
    private int _untilKey;

    /// <summary>The window of a tier.</summary>
    internal static TimeSpan WindowOf(int tier) => s_windows[tier];

    /// <summary>Written but not synced yet: <see cref="TryFinish"/> must succeed before anything else is thinned.</summary>
    internal Chapter? Pending { get; private set; }

    /// <summary>Writes one chapter again into the next tier, with the mark; <see cref="TryFinish"/> makes it count.</summary>
    /// <param name="source">Not the newest of its tier.</param>
    /// <param name="mark">Makes the state for the mark, with these counts.</param>
    /// <returns>False: the disk refused; nothing has changed but for room taken, which is given back with the tier's next chapter.</returns>
    internal bool TryThin(Chapter source, Func<SpoolCounts, SpoolState> mark)
    {
        _made = null;
        _thinnedRecords = _thinnedSamples = 0;
        _untilKey = 0;
        _written.Clear();
        _all.Clear();
        _isEchoed = false;
        _shapes.Clear();
        if (_targets.Count > MaxTargets)
        {
            _targets.Clear();
        }

        int tier = source.Tier + 1;
        using DiskCursor cursor = new(files, clock: null);
        cursor.Enter(source);
        FrameWindow window = new(s_windows[tier], shape => TargetOf(shape, tier));
        if (!TryCopy(cursor, window, tier) || !TryFlush(window, tier) || (_made is not null && !TryMark(tier, mark)))
        {
            return false;
        }

        Pending = source;
        return true;
    }

    /// <summary>Syncs what <see cref="TryThin"/> wrote. From then on it takes the place of the old chapter, whatever happens.</summary>
    /// <param name="made">The new chapter; null when nothing in the old one is needed any more.</param>
    /// <returns>False: the disk refused; try again later.</returns>
    internal bool TryFinish(out Chapter? made)
    {
        made = _made;
        if (Pending is null || (made is not null && files[made.Tier].Commit() != CommitOutcome.Done))
        {
            return false;
        }

        ledger.AddThinned(_thinnedRecords, _thinnedSamples);
        Pending = null;
        return true;
    }

    /// <summary>The old chapter was dropped meanwhile: what was made of it is below the floor.</summary>
    internal void GiveUpPending() => Pending = null;

    /// <summary>Counts what nobody will get once the chapter is gone, record by record.</summary>
    internal void CountDropped(Chapter chapter)
    {
        _shapes.Clear();
        using DiskCursor cursor = new(files, clock: null);
        cursor.Enter(chapter);
        ulong next = chapter.FirstSequence;
        while (cursor.TryRead(out StoredRecord record))
        {
            MessageNumbers numbers = cursor.Numbers;
            ulong first = Math.Max(next, numbers.FirstSequence);
            if (first > next)
            {
                ledger.Drop(next, first - 1, 0, isLost: true);
            }

            ulong samples = ledger.IsSettled(first, numbers.Sequence) ? 0 : FrameSamples.Count(record.Message, id => ShapeOf(id, cursor));
            ledger.Drop(first, numbers.Sequence, samples);
            next = numbers.Sequence + 1;
        }

        if (next <= chapter.LastSequence)
        {
            ledger.Drop(next, chapter.LastSequence, 0, isLost: true);
        }
    }

    private bool TryCopy(DiskCursor cursor, FrameWindow window, int tier)
    {
        ulong next = cursor.NextSequence;
        while (cursor.TryRead(out StoredRecord record))
        {
            MessageNumbers numbers = cursor.Numbers;
            if (numbers.FirstSequence > next)
            {
                // What is not here and not settled was lost to damage since the spool was opened.
                ledger.Drop(next, numbers.FirstSequence - 1, 0, isLost: true);
                window.Lose();
            }

            next = numbers.Sequence + 1;
            bool isSettled = ledger.IsSettled(numbers.FirstSequence, numbers.Sequence);
            bool done = record.Kind == RecordKind.Single
                ? isSettled || (TryFlush(window, tier) && TryWrite(tier, record.Message, RecordKind.Single, numbers.FirstSequence, numbers.Sequence, []))
                : TryAdd(cursor, window, tier, record, numbers, isSettled);
            if (!done)
            {
                return false;
            }
        }

        return true;
    }

    private bool TryAdd(DiskCursor cursor, FrameWindow window, int tier, StoredRecord record, in MessageNumbers numbers, bool isSettled)
    {
        bool isRead = window.TryDecode(record.Message, id => ShapeOf(id, cursor), out _);
        if (isSettled)
        {
            return true;
        }

        if (!isRead)
        {
            // It builds on a frame that damage took, so whoever gets it can do nothing with it either.
            ledger.Drop(numbers.FirstSequence, numbers.Sequence, FrameSamples.Count(record.Message, id => ShapeOf(id, cursor)));
            return true;
        }

        if (!window.Continues(numbers) && !TryFlush(window, tier))
        {
            return false;
        }

        window.Add(numbers);
        return true;
    }

    private bool TryFlush(FrameWindow window, int tier)
    {
        if (window.IsEmpty)
        {
            return true;
        }

        // Whoever meets a hole, one of acknowledged records too, takes it for lost frames and waits for a key frame.
        bool key = _untilKey == 0 || (_made is { } made && window.FirstSequence != made.LastSequence + 1);
        _untilKey = key ? FramesPerKey - 1 : _untilKey - 1;
        (ulong first, ulong last) = (window.FirstSequence, window.LastSequence);
        window.Take(key, _message);
        _thinnedRecords += window.ThinnedRecords;
        _thinnedSamples += window.ThinnedSamples;
        return TryWrite(tier, _message.Written, key ? RecordKind.KeyFrame : RecordKind.Frame, first, last, window.TargetSchemas);
    }

    private bool TryWrite(int tier, ReadOnlySpan<byte> message, RecordKind kind, ulong first, ulong last, List<SchemaShape> schemas)
    {
        _preambleSchemas.Clear();
        int known = _all.Count;
        _all.AddRange(schemas.Where(schema => _written.Add(schema.Id)));
        bool isEcho = !_isEchoed && kind == RecordKind.KeyFrame && _made?.Bytes >= SpoolPlan.EchoBytes;
        _isEchoed |= isEcho;
        foreach (SchemaShape schema in isEcho ? _all : _all.Skip(known))
        {
            _preambleSchemas.Add(new BookedSchema(schema.Id, 0, 0, schema.Encode()));
        }

        bool isHead = _made is null;
        bool hasPreamble = isHead || _preambleSchemas.Count > 0;
        ReadOnlySpan<byte> payload = message;
        if (hasPreamble)
        {
            StoredRecord.WritePreamble(_preamble, null, _preambleSchemas, _scratch);
            payload = StoredRecord.Join(_preamble.Written, message, ref _payload);
        }

        byte type = StoredRecord.TypeOf(kind, hasPreamble, isHead);
        DurableLog log = files[tier];
        AppendResult taken = log.TryAppend(type, payload);
        if (taken.Outcome == AppendOutcome.Full && log.Commit() == CommitOutcome.Done)
        {
            taken = log.TryAppend(type, payload);
        }

        if (!taken.IsTaken)
        {
            return false;
        }

        _made ??= new Chapter(tier, taken.Id, first);
        (_made.LastId, _made.LastSequence) = (taken.Id, last);
        _made.Bytes += payload.Length;
        return true;
    }

    private bool TryMark(int tier, Func<SpoolCounts, SpoolState> mark)
    {
        SpoolCounts counts = ledger.Counts;
        SpoolState state = mark(counts with
        {
            ThinnedRecords = counts.ThinnedRecords + _thinnedRecords, ThinnedSamples = counts.ThinnedSamples + _thinnedSamples,
        });
        _scratch.Clear();
        state.Write(_scratch);
        AppendResult taken = files[tier].TryAppend(StoredRecord.TypeOfMark, _scratch.Written);
        if (!taken.IsTaken)
        {
            return false;
        }

        _made!.LastId = taken.Id;
        return true;
    }

    private SchemaShape TargetOf(SchemaShape source, int tier)
    {
        // What comes as seldom as the window is long has nothing to merge, and three more series would only cost.
        if (source.IntervalMs >= s_windows[tier].TotalMilliseconds)
        {
            return source;
        }

        if (!_targets.TryGetValue((source.Id, tier), out SchemaShape? target))
        {
            target = source.Thinned(book.AllocateId(), s_windows[tier]);
            _targets.Add((source.Id, tier), target);
        }

        return target;
    }

    private SchemaShape? ShapeOf(uint id, DiskCursor cursor)
    {
        if (!_shapes.TryGetValue(id, out SchemaShape? shape))
        {
            byte[]? message = cursor.FindSchema(id) ?? book.TryGet(id);
            shape = message is null ? null : SchemaShape.TryRead(message);
            _shapes.Add(id, shape);
        }

        return shape;
    }
}
