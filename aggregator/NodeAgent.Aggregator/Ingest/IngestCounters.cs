namespace NodeAgent.Aggregator.Ingest;

/// <summary>What ingest did since the aggregator started. Added to by every stream, so each is changed with Interlocked.</summary>
internal sealed class IngestCounters
{
    private long _frames;
    private long _samples;
    private long _bytes;
    private long _events;
    private long _duplicateRecords;
    private long _rejectedRecords;
    private long _unreadableBlocks;
    private long _refusedBlocks;
    private long _refusedValues;
    private long _brokenStreams;
    private long _deadLetters;
    private long _quarantinedRecords;
    private long _tooOldRecords;
    private long _impossibleTimes;
    private long _rebasedFrames;
    private long _throttles;
    private long _overQuota;
    private long _replayedRecords;
    private long _replaySkipped;
    private long _replayLosses;

    internal long Frames => Interlocked.Read(ref _frames);

    internal long Samples => Interlocked.Read(ref _samples);

    internal long Bytes => Interlocked.Read(ref _bytes);

    internal long Events => Interlocked.Read(ref _events);

    /// <summary>Records that came again and were dropped by their sequence.</summary>
    internal long DuplicateRecords => Interlocked.Read(ref _duplicateRecords);

    /// <summary>Records that were not stored, or not all of it; the agent was told each one's reason.</summary>
    internal long RejectedRecords => Interlocked.Read(ref _rejectedRecords);

    /// <summary>Blocks that could not be decoded, or build on records that never came; where something was to be stored, the record is rejected.</summary>
    internal long UnreadableBlocks => Interlocked.Read(ref _unreadableBlocks);

    /// <summary>Blocks passed over because the store had refused their schema, or nobody sent it.</summary>
    internal long RefusedBlocks => Interlocked.Read(ref _refusedBlocks);

    /// <summary>Values that no measurement can have: NaN, infinite, counters below zero.</summary>
    internal long RefusedValues => Interlocked.Read(ref _refusedValues);

    /// <summary>Streams ended because the agent broke the contract.</summary>
    internal long BrokenStreams => Interlocked.Read(ref _brokenStreams);

    /// <summary>Messages that could not be read in three attempts and were set aside.</summary>
    internal long DeadLetters => Interlocked.Read(ref _deadLetters);

    /// <summary>Records kept in the quarantine.</summary>
    internal long QuarantinedRecords => Interlocked.Read(ref _quarantinedRecords);

    /// <summary>Records refused because they were older than what is kept.</summary>
    internal long TooOldRecords => Interlocked.Read(ref _tooOldRecords);

    /// <summary>Records refused because their clock was wrong and nothing said when they were made.</summary>
    internal long ImpossibleTimes => Interlocked.Read(ref _impossibleTimes);

    /// <summary>Frames stored under another time than their own, because the host's clock was off.</summary>
    internal long RebasedFrames => Interlocked.Read(ref _rebasedFrames);

    /// <summary>Times that an agent was asked to wait.</summary>
    internal long Throttles => Interlocked.Read(ref _throttles);

    /// <summary>Streams ended because the agent went on although it was asked to wait.</summary>
    internal long OverQuota => Interlocked.Read(ref _overQuota);

    /// <summary>Records read back from the log at start.</summary>
    internal long ReplayedRecords => Interlocked.Read(ref _replayedRecords);

    /// <summary>Records in the log that lean on ones which were let go of, and were passed over at start.</summary>
    internal long ReplaySkipped => Interlocked.Read(ref _replaySkipped);

    /// <summary>Records of the log that damage took, files that were removed included, and those that cannot be read without them: exactly.</summary>
    internal long ReplayLosses => Interlocked.Read(ref _replayLosses);

    internal void AddFrame(int samples, int bytes)
    {
        Interlocked.Increment(ref _frames);
        Interlocked.Add(ref _samples, samples);
        Interlocked.Add(ref _bytes, bytes);
    }

    internal void AddEvent() => Interlocked.Increment(ref _events);

    internal void AddDuplicate() => Interlocked.Increment(ref _duplicateRecords);

    internal void AddRejected() => Interlocked.Increment(ref _rejectedRecords);

    internal void AddUnreadableBlock() => Interlocked.Increment(ref _unreadableBlocks);

    internal void AddRefusedBlock() => Interlocked.Increment(ref _refusedBlocks);

    internal void AddRefusedValues(int values) => Interlocked.Add(ref _refusedValues, values);

    internal void AddBrokenStream() => Interlocked.Increment(ref _brokenStreams);

    internal void AddDeadLetter() => Interlocked.Increment(ref _deadLetters);

    internal void AddQuarantined() => Interlocked.Increment(ref _quarantinedRecords);

    internal void AddTooOld() => Interlocked.Increment(ref _tooOldRecords);

    internal void AddImpossibleTime() => Interlocked.Increment(ref _impossibleTimes);

    internal void AddRebased() => Interlocked.Increment(ref _rebasedFrames);

    internal void AddThrottle() => Interlocked.Increment(ref _throttles);

    internal void AddOverQuota() => Interlocked.Increment(ref _overQuota);

    internal void AddReplayed() => Interlocked.Increment(ref _replayedRecords);

    internal void AddReplaySkipped() => Interlocked.Increment(ref _replaySkipped);

    internal void AddReplayLosses(long records) => Interlocked.Add(ref _replayLosses, records);
}
