using NodeAgent.Journal.Segments;
using NodeAgent.Journal.Writing;

namespace NodeAgent.Journal;

/// <summary>What to do with segments that another journal or a later version wrote.</summary>
public enum ForeignSegments
{
    /// <summary>
    /// Do not open (<see cref="OpenFailure.Foreign"/>, <see cref="OpenFailure.NewerVersion"/>). For logs that matter more than uptime.
    /// </summary>
    Refuse = 0,

    /// <summary>Move them into the quarantine, say so in the <see cref="Reading.RecoveryReport"/> and go on.</summary>
    SetAside = 1,
}

/// <summary>How a journal is kept. Immutable once it is open.</summary>
public sealed record JournalOptions
{
    /// <summary>The directory of this journal alone; made when it is missing, mode 0700.</summary>
    public required string Directory { get; init; }

    /// <summary>
    /// Names the journal; a segment with another id is foreign. Null: that of the segments found, or a new random one. It also keys all
    /// checksums, so do not take a constant.
    /// </summary>
    public Guid? JournalId { get; init; }

    /// <summary>Where a new journal's id comes from. Another source than chance is for simulations, which must repeat to the byte.</summary>
    public Func<Guid> NewId { get; init; } = Guid.NewGuid;

    /// <summary>
    /// Size of a segment file: a multiple of 64 KiB, at least 128 KiB. Space is freed in this unit. Default 16 MiB: a few hours of a
    /// 400-series spool, a few seconds of a busy write-ahead log.
    /// </summary>
    public long SegmentBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>The largest record. Default 4 MiB.</summary>
    public int MaxRecordBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Memory for records that are not durable yet; when it is full, appends are refused and counted. Default 8 MiB, the agent's bound
    /// for queues.
    /// </summary>
    public long MaxPendingBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// The segments never take more: the oldest go, whether released or not (the latter counted). At least two segments. Null: no limit.
    /// </summary>
    public long? MaxBytes { get; init; }

    /// <summary>
    /// Segments go when their newest record is older, whether released or not (the latter counted). Measured by a monotonic clock, and
    /// over restarts by the journal's own time stamps: a clock that jumps deletes nothing. Null: no limit.
    /// </summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>Reserve each segment's room when it is made. A file system that cannot is no error.</summary>
    public bool Preallocate { get; init; }

    public CommitPolicy Commit { get; init; } = CommitPolicy.EveryBatch;

    /// <summary>
    /// How long a degraded journal leaves the disk alone before it tries again. Default 5 s: soon enough to heal, seldom enough not to
    /// load a sick disk.
    /// </summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Damaged bytes are copied into <c>quarantine/</c> up to this total, then only counted. Default 16 MiB.</summary>
    public long MaxQuarantineBytes { get; init; } = 16 * 1024 * 1024;

    public ForeignSegments Foreign { get; init; } = ForeignSegments.Refuse;

    /// <exception cref="ArgumentException">A value is out of its bounds, named in the message.</exception>
    public void Validate()
    {
        ArgumentException.ThrowIfNullOrEmpty(Directory);
        if (SegmentBytes < SegmentFormat.MinSegmentBytes || SegmentBytes % SegmentFormat.BlockBytes != 0 || SegmentBytes > 1L << 40)
        {
            throw new ArgumentException($"SegmentBytes {SegmentBytes}: a multiple of 65536 from 131072 to 1 TiB is wanted");
        }

        if (MaxRecordBytes < 1) throw new ArgumentException($"MaxRecordBytes {MaxRecordBytes}: at least 1 is wanted");
        if (MaxPendingBytes < MaxRecordBytes)
        {
            throw new ArgumentException($"MaxPendingBytes {MaxPendingBytes}: less than one record of MaxRecordBytes {MaxRecordBytes}");
        }

        if (MaxBytes < 2 * SegmentBytes) throw new ArgumentException($"MaxBytes {MaxBytes}: less than two segments of {SegmentBytes}");
        if (RetryDelay <= TimeSpan.Zero) throw new ArgumentException($"RetryDelay {RetryDelay}: more than zero is wanted");
    }

    /// <summary><see cref="MaxRecordBytes"/>, or what fits into a segment when that is less.</summary>
    internal int EffectiveMaxRecordBytes => (int)Math.Min(MaxRecordBytes, SegmentFormat.MaxRecordBytes(SegmentBytes));
}
