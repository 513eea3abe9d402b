using NodeAgent.Journal.Reading;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// A place in the spool's files that moves forward with one reader. Knows the schemas of everything it passed in its chapter, because it
/// always enters a chapter at its beginning. For one thread at a time.
/// </summary>
/// <param name="files">Where.</param>
/// <param name="clock">By which it is patient with a block that the disk refuses. Null: such a block is passed over at once.</param>
internal sealed class DiskCursor(SpoolFiles files, TimeProvider? clock) : IDisposable
{
    /// <summary>
    /// So long a block that the disk refuses to give is asked for again, before it is passed over and counted as lost. A cable, a path or a
    /// file system that is away comes back within it; a bad sector never does. Fresh records do not wait for it: they come from memory.
    /// </summary>
    internal static readonly TimeSpan PatienceWithBlock = TimeSpan.FromSeconds(30);

    private readonly Dictionary<uint, byte[]> _schemas = [];
    private JournalReader? _reader;
    private long? _refusedSince;

    /// <summary>Where it is; null: nowhere yet.</summary>
    internal Chapter? Chapter { get; private set; }

    /// <summary>The least sequence that it can still give out.</summary>
    internal ulong NextSequence { get; private set; }

    /// <summary>The frame that the next one builds on was given out: the chapter's key frame and all that followed it.</summary>
    internal bool HasBase { get; set; }

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
        _refusedSince = null;
        HasBase = false;
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

                if (clock is not null)
                {
                    _refusedSince ??= clock.GetTimestamp();
                    if (clock.GetElapsedTime(_refusedSince.Value) < PatienceWithBlock)
                    {
                        return false;
                    }
                }

                _refusedSince = null;
                reader.SkipUnreadable();
                continue;
            }

            _refusedSince = null;
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
