using NodeAgent.Journal.Reading;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// A place in the spool's files that moves forward with one reader. Knows the schemas of everything it passed in its chapter, because it
/// always enters a chapter at its beginning. For one thread at a time.
/// </summary>
internal sealed class DiskCursor(SpoolFiles files) : IDisposable
{
    // Two tries at a block that the disk refuses to give, then it is passed over.
    private const int MaxErrorsInARow = 2;

    private readonly Dictionary<uint, byte[]> _schemas = [];
    private JournalReader? _reader;
    private int _errors;

    /// <summary>Where it is; null: nowhere yet.</summary>
    internal Chapter? Chapter { get; private set; }

    /// <summary>The least sequence that it can still give out.</summary>
    internal ulong NextSequence { get; private set; }

    /// <summary>When it was last used, in any unit that the owner likes.</summary>
    internal long UsedAt { get; set; }

    /// <summary>The record read last; valid until the next call.</summary>
    internal MessageNumbers Numbers { get; private set; }

    /// <summary>Why the last read found nothing, when it was the disk: worth trying again.</summary>
    internal Journal.JournalError? Error => _reader?.Error;

    /// <summary>Goes to the beginning of a chapter.</summary>
    internal void Enter(Chapter chapter)
    {
        _reader?.Dispose();
        _schemas.Clear();
        _errors = 0;
        Chapter = chapter;
        NextSequence = chapter.FirstSequence;
        _reader = files[chapter.Tier].OpenReader(chapter.FirstId);
    }

    /// <summary>
    /// The next record of the chapter. False: at its end, or <see cref="Error"/> is set.
    /// </summary>
    /// <param name="record">Valid until the next call.</param>
    internal bool TryRead(out StoredRecord record)
    {
        record = default;
        while (_reader is { } reader && Chapter is { } chapter && reader.NextId <= chapter.LastId)
        {
            if (!reader.TryRead(out JournalRecord read))
            {
                if (reader.Error is null)
                {
                    return false;
                }

                if (++_errors < MaxErrorsInARow)
                {
                    return false;
                }

                _errors = 0;
                reader.SkipUnreadable();
                continue;
            }

            _errors = 0;
            if (read.Id > chapter.LastId)
            {
                // The end of the chapter is lost, and this is of the next one: whoever goes there enters it anew.
                Leave();
                return false;
            }

            record = new StoredRecord(read.Type, read.Payload);
            Numbers = MessageNumbers.Read(record.Message);
            record.CopySchemas(_schemas);
            if (record.IsMark || Numbers.Sequence == 0)
            {
                continue;
            }

            NextSequence = Numbers.Sequence + 1;
            return true;
        }

        return false;
    }

    internal byte[]? FindSchema(uint id) => _schemas.GetValueOrDefault(id);

    internal void Leave()
    {
        _reader?.Dispose();
        _reader = null;
        Chapter = null;
    }

    public void Dispose() => Leave();
}
