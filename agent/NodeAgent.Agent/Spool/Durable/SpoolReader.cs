using NodeAgent.Agent.Frames;
using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Reads a spool's files for its readers: a backlog, and perhaps one beside it. Gives out nothing that cannot be described by a schema.
/// Not thread-safe.
/// </summary>
internal sealed class SpoolReader(SpoolDisk disk, SpoolLedger ledger, SchemaBook book, TimeProvider clock) : IDisposable
{
    private readonly DiskCursor[] _cursors = [new(disk.Files, clock), new(disk.Files, clock)];
    private readonly HashSet<(Chapter Chapter, uint Id)> _searched = [];
    private readonly Dictionary<uint, byte[]> _beside = [];
    private long _uses;

    // The record given out last, for a reader that could not send it and comes again.
    private byte[] _last = [];
    private int _lastLength;
    private SequenceSpan _lastWanted = new(1, 0);

    /// <summary>
    /// The last <see cref="TryRead"/> found nothing because the disk refused: what it should have found is still owed, and nothing later may be
    /// given out in its place.
    /// </summary>
    internal bool IsRefused { get; private set; }

    /// <summary>As <see cref="ISpool.TryRead"/>, of what is on disk up to the limit.</summary>
    internal bool TryRead(ref ulong sequence, ulong limit, ref byte[] destination, out int length)
    {
        length = 0;
        IsRefused = false;
        if (sequence >= _lastWanted.First && sequence <= _lastWanted.Last)
        {
            sequence = _lastWanted.Last;
            GiveLast(ref destination, out length);
            return true;
        }

        ulong wanted = sequence;
        while (sequence <= limit && disk.Index.EndingAtOrAfter(sequence) is { } chapter)
        {
            DiskCursor cursor = CursorFor(chapter, sequence, out bool needsKey);
            while (TryNext(cursor, out StoredRecord record))
            {
                ulong found = cursor.Numbers.Sequence;
                if (found < sequence)
                {
                    continue;
                }

                if (found > limit)
                {
                    cursor.Leave();
                    return false;
                }

                bool canBeDecoded = record.Kind != RecordKind.Frame || (cursor.HasBase && !needsKey);
                needsKey &= record.Kind != RecordKind.KeyFrame;
                if (!canBeDecoded || !CanBeDescribed(record.Message, cursor, chapter))
                {
                    if (IsRefused)
                    {
                        return false;
                    }

                    ledger.Drop(cursor.Numbers.FirstSequence, found, 0, isLost: true);
                    continue;
                }

                Keep(record.Message, new SequenceSpan(wanted, found));
                GiveLast(ref destination, out length);
                sequence = found;
                return true;
            }

            IsRefused = cursor.Error is not null;
            if (IsRefused || chapter == disk.Index.Newest())
            {
                return false;
            }

            // Damage since the spool was opened took the end of the chapter.
            if (cursor.NextSequence <= chapter.LastSequence)
            {
                ledger.Drop(cursor.NextSequence, chapter.LastSequence, 0, isLost: true);
            }

            sequence = chapter.LastSequence + 1;
        }

        return false;
    }

    /// <summary>
    /// The newest key frame at or before this sequence; where a life's chapter has none yet, its first record, which stands alone. 0: there is none.
    /// </summary>
    internal ulong KeyAtOrBefore(ulong sequence)
    {
        ulong newest = 0;
        if (disk.Index.BeginningAtOrBefore(sequence) is { } chapter)
        {
            using DiskCursor cursor = new(disk.Files, clock);
            cursor.Enter(chapter);
            while (cursor.TryRead(out StoredRecord record) && cursor.Numbers.Sequence <= sequence)
            {
                bool isStart = record.Kind == RecordKind.KeyFrame || (newest == 0 && record.Kind == RecordKind.Single);
                newest = isStart ? cursor.Numbers.Sequence : newest;
            }

            // The disk refuses to say: the chapter's beginning is a place to start from.
            newest = newest == 0 && cursor.Error is not null ? chapter.FirstSequence : newest;
        }

        return newest;
    }

    /// <summary>A schema that a record read lately refers to.</summary>
    internal byte[]? FindSchema(uint id)
    {
        foreach (DiskCursor cursor in _cursors)
        {
            if (cursor.FindSchema(id) is { } schema)
            {
                return schema;
            }
        }

        return _beside.GetValueOrDefault(id);
    }

    public void Dispose()
    {
        foreach (DiskCursor cursor in _cursors)
        {
            cursor.Dispose();
        }
    }

    private void Keep(ReadOnlySpan<byte> message, SequenceSpan wanted)
    {
        if (_last.Length < message.Length)
        {
            _last = new byte[Math.Max(message.Length, _last.Length * 2)];
        }

        message.CopyTo(_last);
        _lastLength = message.Length;
        _lastWanted = wanted;
    }

    private void GiveLast(ref byte[] destination, out int length)
    {
        length = _lastLength;
        if (destination.Length < length)
        {
            destination = new byte[Math.Max(length, destination.Length * 2)];
        }

        _last.AsSpan(0, length).CopyTo(destination);
    }

    private bool TryNext(DiskCursor cursor, out StoredRecord record)
    {
        ulong expected = cursor.NextSequence;
        if (!cursor.TryRead(out record))
        {
            return false;
        }

        // Whatever is missing for a good reason is settled; the rest fell to damage since the spool was opened.
        bool isHole = cursor.Numbers.FirstSequence > expected;
        if (isHole)
        {
            ledger.Drop(expected, cursor.Numbers.FirstSequence - 1, 0, isLost: true);
        }

        // Whatever the reason, nobody can decode what follows a hole up to the next key frame.
        cursor.HasBase = record.Kind == RecordKind.KeyFrame || (cursor.HasBase && !isHole);

        return true;
    }

    private DiskCursor CursorFor(Chapter chapter, ulong sequence, out bool needsKey)
    {
        DiskCursor oldest = _cursors[0];
        needsKey = false;
        foreach (DiskCursor cursor in _cursors)
        {
            if (cursor.Chapter == chapter && cursor.NextSequence <= sequence)
            {
                cursor.UsedAt = ++_uses;
                return cursor;
            }

            // It read on without a break until its chapter was thinned out under it: what comes next there builds on frames it never saw.
            needsKey |= cursor.Chapter is { } former && cursor.NextSequence == sequence && former.LastSequence >= sequence && !disk.Index.Contains(former);
            oldest = cursor.UsedAt < oldest.UsedAt ? cursor : oldest;
        }

        oldest.UsedAt = ++_uses;
        oldest.Enter(chapter);
        return oldest;
    }

    private bool CanBeDescribed(ReadOnlySpan<byte> message, DiskCursor cursor, Chapter chapter)
    {
        foreach (uint id in new FrameSchemaIds(message))
        {
            if (cursor.FindSchema(id) is null && book.TryGet(id) is null && !_beside.ContainsKey(id) && !FindBeside(chapter, id))
            {
                return false;
            }
        }

        return true;
    }

    // The head of the chapter is damaged. It says its schemas a second time further on, and for the most part the chapters beside it have them too.
    private bool FindBeside(Chapter chapter, uint id)
    {
        if (_searched.Contains((chapter, id)))
        {
            return false;
        }

        foreach (int step in (ReadOnlySpan<int>)[0, -1, 1])
        {
            if (disk.Index.Beside(chapter, step) is not { } neighbour)
            {
                continue;
            }

            using DiskCursor cursor = new(disk.Files, clock);
            cursor.Enter(neighbour);
            while (cursor.TryRead(out _))
            {
                if (cursor.FindSchema(id) is { } schema)
                {
                    _beside[id] = schema;
                    return true;
                }
            }

            if (cursor.Error is not null)
            {
                IsRefused = true;
                return false;
            }
        }

        _searched.Add((chapter, id));
        return false;
    }
}
