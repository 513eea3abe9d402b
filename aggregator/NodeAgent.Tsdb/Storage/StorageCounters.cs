using System.Collections.Concurrent;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>What happened to files, over the life of a store.</summary>
internal sealed class StorageCounters
{
    private long _orphans;
    private long _undeleted;
    private long _unknownSchemas;
    private long _failedFlushes;
    private long _failedMerges;
    private long _samplesExpired;
    private long _samplesDroppedForRoom;
    private long _flushes;
    private long _merges;
    private long _seriesForgotten;

    /// <summary>Segments set aside because they are damaged, with the reasons.</summary>
    public ConcurrentQueue<SegmentProblem> Quarantined { get; } = new();

    public long Orphans => Interlocked.Read(ref _orphans);

    public long Undeleted => Interlocked.Read(ref _undeleted);

    public long UnknownSchemas => Interlocked.Read(ref _unknownSchemas);

    public long Flushes => Interlocked.Read(ref _flushes);

    public long FailedFlushes => Interlocked.Read(ref _failedFlushes);

    public long Merges => Interlocked.Read(ref _merges);

    public long FailedMerges => Interlocked.Read(ref _failedMerges);

    public long SamplesExpired => Interlocked.Read(ref _samplesExpired);

    public long SamplesDroppedForRoom => Interlocked.Read(ref _samplesDroppedForRoom);

    /// <summary>Series forgotten before their samples were gone.</summary>
    public long SeriesForgotten => Interlocked.Read(ref _seriesForgotten);

    public void AddSeriesForgotten(int series) => Interlocked.Add(ref _seriesForgotten, series);

    public void AddQuarantined(SegmentProblem problem) => Quarantined.Enqueue(problem);

    public void AddOrphan() => Interlocked.Increment(ref _orphans);

    public void AddUndeleted() => Interlocked.Increment(ref _undeleted);

    public void AddUnknownSchema() => Interlocked.Increment(ref _unknownSchemas);

    public void AddFlush(bool ok) => Interlocked.Increment(ref ok ? ref _flushes : ref _failedFlushes);

    public void AddMerge(bool ok) => Interlocked.Increment(ref ok ? ref _merges : ref _failedMerges);

    public void AddExpired(long samples) => Interlocked.Add(ref _samplesExpired, samples);

    public void AddDroppedForRoom(long samples) => Interlocked.Add(ref _samplesDroppedForRoom, samples);
}
