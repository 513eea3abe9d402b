namespace NodeAgent.Agent.Spool;

/// <summary>How a durable spool is kept, resolved.</summary>
internal sealed record SpoolPlan
{
    /// <summary>Smallest limit on disk: below it there would be no room to thin anything out.</summary>
    internal const long LeastBytes = 4L << 20;

    /// <summary>The spool's own directory; made when missing.</summary>
    internal required string Directory { get; init; }

    /// <summary>Bytes on disk at most, all together.</summary>
    internal long MaxBytes { get; init; } = 512L << 20;

    /// <summary>Bytes of records in memory at most, while the disk takes none.</summary>
    internal long MemoryBytes { get; init; } = 8L << 20;

    /// <summary>A power cut costs at most what came in this time.</summary>
    internal TimeSpan SyncInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bytes after which a sync does not wait for the interval.</summary>
    internal long SyncBytes { get; init; } = 256 * 1024;

    /// <summary>Whose telemetry it is: a spool of somebody else is set aside. Compared by hash.</summary>
    internal required string Owner { get; init; }

    /// <summary>The present boot of the host; "" when unknown.</summary>
    internal required string BootId { get; init; }

    /// <summary>Where the ids of new journals come from; see <see cref="Journal.JournalOptions.NewId"/>.</summary>
    internal Func<Guid> NewId { get; init; } = Guid.NewGuid;

    /// <summary>Looks at the directory before it is used; a reason not to, or null. Null: not looked at.</summary>
    internal Func<string, string?>? Inspect { get; init; }

    /// <summary>Size of a segment file, the unit in which room is freed: small enough that many fit, large enough to be few.</summary>
    internal long SegmentBytes => Math.Clamp(MaxBytes / 64 / 65536 * 65536, 128 * 1024, 8L << 20);

    /// <summary>
    /// Bytes after which the next key frame begins a chapter, the unit that is thinned out, dropped and read from: each repeats the schemas,
    /// some 30 KB for 400 series.
    /// </summary>
    internal long ChapterBytes => SegmentBytes / 4;

    /// <summary>
    /// Bytes after which a chapter repeats its schemas, once: then no damage of one 64 KiB block takes them all.
    /// </summary>
    internal const long EchoBytes = 66 * 1024;

    /// <summary>Room that must stay free below the limit, so that thinning has where to write.</summary>
    internal long ReserveBytes => 3 * SegmentBytes;
}
