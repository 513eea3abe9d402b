namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Decides how much of the log may go. Now and then a mark notes where the log is and from where on it would be needed if everything
/// before the mark were safe elsewhere. When the store says how far it is, or age or room demand it, the newest mark that qualifies
/// names the first record to keep. Driven by one thread.
/// </summary>
internal sealed class LogRetention(WriteAheadLog wal, IngestOptions options)
{
    private readonly Queue<Mark> _marks = [];
    private Mark _passed;

    /// <summary>Notes a mark, if enough was written since the last one.</summary>
    /// <param name="unixMs">The newest record's time of arrival.</param>
    /// <param name="id">The newest record.</param>
    /// <param name="bytes">Bytes of the log up to here, on any scale that only grows.</param>
    /// <param name="neededFrom">Least of what the nodes need, frames' bases included.</param>
    /// <param name="stateFrom">Least of where the nodes' states are.</param>
    internal void Note(long unixMs, ulong id, long bytes, ulong neededFrom, ulong stateFrom)
    {
        if (neededFrom > 0)
        {
            _marks.Enqueue(new Mark(unixMs, id, bytes, neededFrom, stateFrom));
        }
    }

    /// <summary>Lets go of what nobody needs.</summary>
    /// <param name="nowUnixMs">The aggregator's clock.</param>
    /// <param name="safeId">All up to this record is in the store's own segments.</param>
    /// <param name="heldFrom">Somebody still reads from this record on, as long as the log has not grown beyond what it may keep for them.</param>
    internal void Enforce(long nowUnixMs, ulong safeId, ulong heldFrom = ulong.MaxValue)
    {
        bool isForced = false;
        ulong keepFrom = 0;
        long bytes = wal.Status().DiskBytes;
        long excess = bytes - options.WalMaxBytes;
        long excessForReaders = bytes - options.WalReaderBytes;
        while (_marks.TryPeek(out Mark mark))
        {
            bool isHeld = mark.Id >= heldFrom && excessForReaders <= 0;
            bool isDue = !isHeld && (mark.Id <= safeId || mark.UnixMs < nowUnixMs - options.RetentionMs);
            bool isTooMuch = !isDue && excess > 0;
            if (!isDue && !isTooMuch)
            {
                break;
            }

            // For want of room even bases of frames go, but never what is known of a node: its duplicate filter is in it.
            keepFrom = Math.Max(keepFrom, isTooMuch ? Math.Min(mark.StateFrom, mark.Id) : Math.Min(mark.NeededFrom, mark.Id));
            isForced |= isTooMuch;
            excess -= mark.Bytes - _passed.Bytes;
            excessForReaders -= mark.Bytes - _passed.Bytes;
            _passed = mark;
            _marks.Dequeue();
        }

        if (isForced)
        {
            wal.CountForcedRelease();
        }

        if (keepFrom > 1)
        {
            wal.ReleaseUpTo(keepFrom - 1);
        }
    }

    private readonly record struct Mark(long UnixMs, ulong Id, long Bytes, ulong NeededFrom, ulong StateFrom);
}
