namespace NodeAgent.Aggregator.Sinks;

/// <summary>What a sink did since the aggregator started. Written by its one loop, read by anyone.</summary>
internal sealed class SinkCounters
{
    private long _samples;
    private long _requests;
    private long _sentBytes;
    private long _retries;
    private long _deadLetters;
    private long _deadLettersLost;
    private long _skippedRecords;
    private long _unreadable;
    private long _refusedSchemas;

    /// <summary>Samples that the engine took.</summary>
    internal long Samples => Interlocked.Read(ref _samples);

    /// <summary>Requests that it answered well.</summary>
    internal long Requests => Interlocked.Read(ref _requests);

    /// <summary>Bytes of their bodies, compressed.</summary>
    internal long SentBytes => Interlocked.Read(ref _sentBytes);

    /// <summary>Requests that were sent again.</summary>
    internal long Retries => Interlocked.Read(ref _retries);

    /// <summary>Lines that the engine refused as bad.</summary>
    internal long DeadLetters => Interlocked.Read(ref _deadLetters);

    /// <summary>Refused lines that could not even be kept.</summary>
    internal long DeadLettersLost => Interlocked.Read(ref _deadLettersLost);

    /// <summary>Records of the log that were gone, released for want of room or damaged, before they were sent.</summary>
    internal long SkippedRecords => Interlocked.Read(ref _skippedRecords);

    /// <summary>Blocks that lean on records that are gone, or make no sense.</summary>
    internal long UnreadableBlocks => Interlocked.Read(ref _unreadable);

    /// <summary>Schemas over the series quota, or against a rule.</summary>
    internal long RefusedSchemas => Interlocked.Read(ref _refusedSchemas);

    internal void AddSent(long samples, long bytes)
    {
        Interlocked.Add(ref _samples, samples);
        Interlocked.Add(ref _sentBytes, bytes);
        Interlocked.Increment(ref _requests);
    }

    internal void AddRetry() => Interlocked.Increment(ref _retries);

    internal void AddDeadLetters(long lines, bool isKept) => Interlocked.Add(ref isKept ? ref _deadLetters : ref _deadLettersLost, lines);

    internal void AddSkipped(long records) => Interlocked.Add(ref _skippedRecords, records);

    internal void AddUnreadable() => Interlocked.Increment(ref _unreadable);

    internal void AddRefusedSchema() => Interlocked.Increment(ref _refusedSchemas);
}
