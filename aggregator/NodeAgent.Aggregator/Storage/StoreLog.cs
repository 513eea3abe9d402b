using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Storage;

/// <summary>Events of the time-series store: 7000 to 7049.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(EventId = 7000, EventName = "StoreOpened", Level = LogLevel.Information,
        Message = "store {Directory}: {Series} series, {Raw} raw, {Minute} minute and {Hour} hour segments, {Bytes} bytes, opened in {Took}")]
    public static partial void Opened(
        this ILogger logger, string directory, int series, int raw, int minute, int hour, long bytes, TimeSpan took);

    [LoggerMessage(EventId = 7001, EventName = "StoreDiskFails", Level = LogLevel.Error, Message = "the store cannot write its files: {Error}")]
    [EventHelp(
        Meaning = "Samples stay in memory and in the write-ahead log, which is acknowledged as before; nothing is lost yet.",
        Cause = "The disk under the store's folder is full or refuses calls; the error names the call and the file.",
        Action = "Make room or mend the disk; the store goes on by itself. Before the log reaches wal.max_bytes, or memory ends.")]
    public static partial void DiskFails(this ILogger logger, string error);

    [LoggerMessage(EventId = 7002, EventName = "StoreDiskWorks", Level = LogLevel.Information,
        Message = "the store writes its files again; so far {FailedFlushes} writes and {FailedMerges} merges failed")]
    public static partial void DiskWorks(this ILogger logger, long failedFlushes, long failedMerges);

    [LoggerMessage(EventId = 7003, EventName = "StoreSegmentSetAside", Level = LogLevel.Error, Message = "a damaged segment was set aside: {Segment}")]
    [EventHelp(
        Meaning = "The samples or roll-ups of this file are not served any more. The file is kept in quarantine/ of the store's folder.",
        Cause = "Bytes on the disk changed, or the file was cut short or deleted.",
        Action = "Look at the disk's health (`smartctl -a`). Restore a backup if the samples are needed.")]
    public static partial void SegmentSetAside(this ILogger logger, string segment);

    [LoggerMessage(EventId = 7004, EventName = "StoreReadsFail", Level = LogLevel.Error,
        Message = "parts of the store's files cannot be read: {Damaged} damaged, {Unreadable} refused by the disk")]
    [EventHelp(
        Meaning = "Answers lack the samples of those parts. Everything else of the files is served.",
        Cause = "Bytes on the disk changed, or the disk refuses to read them.",
        Action = "Look at the disk's health.")]
    public static partial void ReadsFail(this ILogger logger, long damaged, long unreadable);

    [LoggerMessage(EventId = 7005, EventName = "StoreDroppedForRoom", Level = LogLevel.Warning,
        Message = "{Samples} samples were dropped for want of room; the store takes {Bytes} bytes")]
    [EventHelp(
        Meaning = "The oldest files went before their retention was over.",
        Cause = "store.max_bytes is reached, or the disk has less left than store.min_free_bytes.",
        Action = "Give the store more disk, or shorten store.raw_retention so that this is no surprise.")]
    public static partial void DroppedForRoom(this ILogger logger, long samples, long bytes);

    [LoggerMessage(EventId = 7006, EventName = "StoreMergeFault", Level = LogLevel.Error, Message = "a merge was given up: {Problem}")]
    [EventHelp(
        Meaning = "A file contradicts itself though its checksums hold. Its samples are served as far as they can be read; merging is tried each minute.",
        Cause = "A fault of the store.",
        Action = "Report the line.")]
    public static partial void MergeFault(this ILogger logger, string problem);

    [LoggerMessage(EventId = 7007, EventName = "StoreSeriesForgotten", Level = LogLevel.Warning,
        Message = "{Series} series that nobody feeds any more were forgotten; their samples cannot be found again")]
    [EventHelp(
        Meaning = "More series came and went than store.max_inactive_series allows to remember; the longest silent went first.",
        Cause = "A label with ever new values: a process id, a job's number, a container's name.",
        Action = "Drop the label at the agent, or raise the limit at about 400 bytes of memory each.")]
    public static partial void SeriesForgotten(this ILogger logger, long series);

    [LoggerMessage(EventId = 7008, EventName = "StoreSchemasNotServed", Level = LogLevel.Error,
        Message = "{Schemas} schemas of the store break today's rules; their samples are not served")]
    [EventHelp(
        Meaning = "The files still have the samples, but no query finds them.",
        Cause = "An earlier or later version wrote names or labels that this one refuses.",
        Action = "Install the version that wrote them, or report the line.")]
    public static partial void SchemasNotServed(this ILogger logger, long schemas);

    [LoggerMessage(EventId = 7009, EventName = "StoreStopped", Level = LogLevel.Information,
        Message = "the store has written what it held into its files: {IsDone}")]
    public static partial void Flushed(this ILogger logger, bool isDone);
}
