using NodeAgent.Journal.Reading;
using NodeAgent.Tsdb.Manifest;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Backup;

/// <summary>Segments of one kind and level. Times are Unix milliseconds.</summary>
public sealed record SegmentSummary(string Kind, string Level, int Segments, long Bytes, long Samples, long FirstUnixMs, long LastUnixMs)
{
    /// <summary>Bytes of files per sample, or per row of a tier; indexes and times included.</summary>
    public double BytesPerSample => Samples > 0 ? (double)Bytes / Samples : 0;
}

/// <summary>A journal: records it holds, by id.</summary>
public sealed record JournalSummary(string Name, int Segments, ulong Records, ulong FirstId, ulong NextId, ulong LostRecords, long TornBytes);

/// <summary>What a state directory or a backup holds.</summary>
public sealed record StateInspection
{
    public required IReadOnlyList<JournalSummary> Journals { get; init; }

    /// <summary>By kind and level; empty: there is no store, or it has no file yet.</summary>
    public required IReadOnlyList<SegmentSummary> Segments { get; init; }

    public required int Nodes { get; init; }

    public required int Schemas { get; init; }

    public required int Series { get; init; }

    public required int Metrics { get; init; }

    /// <summary>Every row of the log up to this record is in segments.</summary>
    public required ulong StoredThroughLogId { get; init; }

    public static StateInspection Of(StateOnDisk state)
    {
        ManifestState? store = state.Store;
        IEnumerable<SegmentInfo> segments = store?.Segments.Values ?? Enumerable.Empty<SegmentInfo>();
        IEnumerable<SchemaRecord> schemas = store?.Schemas.Values ?? Enumerable.Empty<SchemaRecord>();
        return new StateInspection
        {
            Journals = [.. state.Journals.Where(journal => journal.Found is not null).Select(journal => Of(journal.Name, journal.Found!))],
            Segments = [.. segments.GroupBy(info => (info.Kind, info.Level)).OrderBy(group => group.Key).Select(Of)],
            Nodes = schemas.Select(schema => schema.Node).Distinct(StringComparer.Ordinal).Count(),
            Schemas = schemas.Count(),
            Series = schemas.SelectMany(schema => schema.Ids).Select(id => id.Series).Distinct().Count(),
            Metrics = schemas.SelectMany(schema => schema.Ids).Select(id => id.Metric).Distinct().Count(),
            StoredThroughLogId = store?.WalId ?? 0,
        };
    }

    private static JournalSummary Of(string name, RecoveryReport found) =>
        new(name, found.Segments, found.Records, found.Floor, found.NextId, found.LostRecords, found.TornBytes);

    private static SegmentSummary Of(IGrouping<(SegmentKind Kind, SegmentLevel Level), SegmentInfo> group) => new(
        group.Key.Kind.ToString().ToLowerInvariant(), group.Key.Level.ToString().ToLowerInvariant(), group.Count(), group.Sum(info => info.Length),
        group.Sum(info => info.Samples), group.Min(info => info.FirstUnixMs), group.Max(info => info.LastUnixMs));
}
