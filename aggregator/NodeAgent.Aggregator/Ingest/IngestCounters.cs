namespace NodeAgent.Aggregator.Ingest;

/// <summary>What ingest did since the aggregator started. Added to by every session, so each is changed with Interlocked.</summary>
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
    private long _brokenStreams;

    internal long Frames => Interlocked.Read(ref _frames);

    internal long Samples => Interlocked.Read(ref _samples);

    internal long Bytes => Interlocked.Read(ref _bytes);

    internal long Events => Interlocked.Read(ref _events);

    /// <summary>Records that came again after a reconnect and were dropped by their sequence.</summary>
    internal long DuplicateRecords => Interlocked.Read(ref _duplicateRecords);

    /// <summary>Records set aside; the agent was told each one's reason.</summary>
    internal long RejectedRecords => Interlocked.Read(ref _rejectedRecords);

    /// <summary>Blocks that could not be decoded, or that wait for a key block after a gap.</summary>
    internal long UnreadableBlocks => Interlocked.Read(ref _unreadableBlocks);

    /// <summary>Blocks passed over because the store had refused their schema.</summary>
    internal long RefusedBlocks => Interlocked.Read(ref _refusedBlocks);

    /// <summary>Streams ended because the agent broke the contract.</summary>
    internal long BrokenStreams => Interlocked.Read(ref _brokenStreams);

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

    internal void AddBrokenStream() => Interlocked.Increment(ref _brokenStreams);
}
