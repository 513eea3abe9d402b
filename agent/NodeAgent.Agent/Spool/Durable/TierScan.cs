using NodeAgent.Contracts.Sequences;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Looks at every record of one tier's journal while it is opened: finds the chapters, the newest state, and what is missing. Record ids and
/// sequences grow together, so what is missing in both is lost, and what is missing in the sequences alone never came here.
/// </summary>
internal sealed class TierScan(int tier)
{
    private readonly List<(Chapter Chapter, bool IsConfirmed)> _found = [];
    private readonly List<SequenceSpan> _missing = [];
    private readonly Dictionary<uint, byte[]> _schemas = [];
    private Chapter? _open;
    private ulong _firstId;
    private ulong _firstSequence;

    internal int Tier => tier;

    /// <summary>The state copy with the highest serial, wherever it was.</summary>
    internal SpoolState? State { get; private set; }

    internal ulong LastId { get; private set; }

    internal ulong LastSequence { get; private set; }

    /// <summary>When the newest frame was made, by the clock of its boot.</summary>
    internal MessageNumbers NewestFrame { get; private set; }

    /// <summary>Records up to this one are superseded by what is here.</summary>
    internal ulong SupersededThrough { get; private set; }

    internal uint MaxSchemaId { get; private set; }

    /// <summary>The schemas of the newest chapter.</summary>
    internal IEnumerable<byte[]> Schemas => _schemas.Values;

    internal void Add(JournalRecord record)
    {
        StoredRecord stored = new(record.Type, record.Payload);
        if (stored.IsMark)
        {
            AddMark(record.Id, SpoolState.TryRead(record.Payload, out _));
            return;
        }

        MessageNumbers numbers = MessageNumbers.Read(stored.Message);
        if (numbers.Sequence == 0)
        {
            return;
        }

        NoteGap(record.Id, numbers);
        TakePreamble(stored);
        if (_open is null || stored.IsHead)
        {
            Close(isConfirmed: false);
            _open = new Chapter(tier, record.Id, numbers.FirstSequence);
        }

        (_open.LastId, _open.LastSequence) = (record.Id, numbers.Sequence);
        _open.Bytes += record.Payload.Length;
        (LastId, LastSequence) = (record.Id, numbers.Sequence);
        if (numbers.MonotonicNs > 0)
        {
            NewestFrame = numbers;
        }
    }

    /// <summary>The chapters that count, oldest first.</summary>
    /// <param name="sourceBegins">The first sequence that the finer tiers still have; thinned chapters without their mark count only before it.</param>
    internal List<Chapter> Chapters(ulong sourceBegins)
    {
        Close(isConfirmed: tier == 0);
        List<Chapter> chapters = [];
        for (int i = 0; i < _found.Count; i++)
        {
            (Chapter chapter, bool isConfirmed) = _found[i];
            ulong nextBegins = i + 1 < _found.Count ? _found[i + 1].Chapter.FirstSequence : ulong.MaxValue;

            // Without its mark a chapter was either given up half-way, and then what it was made of is still there, or damage took the mark.
            if (isConfirmed || tier == 0 || chapter.LastSequence < Math.Min(sourceBegins, nextBegins))
            {
                chapters.Add(chapter);
            }
        }

        return chapters;
    }

    /// <summary>Ranges of sequences that were here and are no more.</summary>
    internal IEnumerable<SequenceSpan> Missing(RecoveryReport report)
    {
        if (_firstId > report.Floor && _firstSequence > 1)
        {
            ulong count = Math.Min(_firstId - report.Floor, _firstSequence - 1);
            yield return new SequenceSpan(_firstSequence - count, _firstSequence - 1);
        }

        foreach (SequenceSpan range in _missing)
        {
            yield return range;
        }
    }

    /// <summary>Ids that were given after the last record that is left, as far as the files can tell.</summary>
    internal ulong MissingAtTail(RecoveryReport report) => report.NextId - 1 - Math.Max(LastId, report.Floor - 1);

    private void AddMark(ulong id, SpoolState? state)
    {
        Keep(state);
        if (state is not null)
        {
            SupersededThrough = Math.Max(SupersededThrough, state.SupersededThrough);
        }

        if (_open is not null)
        {
            _open.LastId = id;
            Close(isConfirmed: true);
        }

        LastId = id;
    }

    private void Close(bool isConfirmed)
    {
        if (_open is null)
        {
            return;
        }

        // Written again from memory, after files were removed: the later copy has all that the earlier one had.
        while (tier == 0 && _found.Count > 0 && _found[^1].Chapter.FirstSequence >= _open.FirstSequence)
        {
            _found.RemoveAt(_found.Count - 1);
        }

        _found.Add((_open, isConfirmed || tier == 0));
        _open = null;
    }

    private void NoteGap(ulong id, MessageNumbers numbers)
    {
        if (LastId == 0)
        {
            (_firstId, _firstSequence) = (id, numbers.FirstSequence);
            return;
        }

        ulong ids = id - LastId - 1;
        if (ids == 0 || numbers.FirstSequence <= LastSequence + 1)
        {
            return;
        }

        ulong sequences = numbers.FirstSequence - LastSequence - 1;
        if (tier > 0)
        {
            _missing.Add(new SequenceSpan(LastSequence + 1, numbers.FirstSequence - 1));
        }
        else if (numbers.Sequence >> 32 != LastSequence >> 32)
        {
            _missing.Add(new SequenceSpan(LastSequence + 1, LastSequence + ids));
        }
        else
        {
            ulong lost = Math.Min(ids, sequences);
            _missing.Add(new SequenceSpan(numbers.FirstSequence - lost, numbers.FirstSequence - 1));
        }
    }

    private void TakePreamble(StoredRecord stored)
    {
        if (stored.Preamble.IsEmpty)
        {
            return;
        }

        Keep(stored.State());
        if (stored.IsHead)
        {
            _schemas.Clear();
        }

        stored.CopySchemas(_schemas);
        foreach (uint id in _schemas.Keys)
        {
            MaxSchemaId = Math.Max(MaxSchemaId, id);
        }
    }

    private void Keep(SpoolState? state)
    {
        if (state is not null && (State is null || state.Serial > State.Serial))
        {
            State = state;
        }
    }
}
