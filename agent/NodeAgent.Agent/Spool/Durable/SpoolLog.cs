using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Agent.Spool;

/// <summary>What the spool tells people: 3000 to 3049. A change once, a repeated failure as a count.</summary>
internal sealed partial class SpoolLog(ILogger<SpoolLog> logger, RepeatedEventGate gate)
{
    internal void Opened(string directory, SpoolFiles files, SpoolStart start, ulong next)
    {
        gate.Recovered(nameof(SpoolUnavailable), directory);
        if (files.SetAside is { } reason)
        {
            SpoolSetAside(logger, directory, reason);
        }

        long torn = 0;
        int damages = 0;
        for (int tier = 0; tier < SpoolFiles.Tiers; tier++)
        {
            torn += files[tier].Recovery.TornBytes;
            damages += files[tier].Recovery.Damages.Count;
        }

        if (start.LostRecords > 0 || damages > 0)
        {
            SpoolDamaged(logger, directory, damages, start.LostRecords);
        }

        SpoolOpened(logger, directory, files.Epoch, files.DiskBytes, start.Chapters.Count, next, torn);
    }

    internal void Unavailable(string directory, string reason)
    {
        if (gate.IsFirst(nameof(SpoolUnavailable), directory))
        {
            SpoolUnavailable(logger, directory, reason);
        }
    }

    internal void Failed(string directory, string reason)
    {
        if (gate.IsFirst(nameof(SpoolMemoryOnly), directory))
        {
            SpoolMemoryOnly(logger, directory, reason);
        }
    }

    internal void Healed(string directory)
    {
        gate.Recovered(nameof(SpoolMemoryOnly), directory);
        SpoolDurableAgain(logger, directory);
    }

    internal void Vanished(string directory, ulong records) => SpoolVanished(logger, directory, records);

    internal void BacklogWaits(string directory, ulong records) => SpoolBacklogWaits(logger, directory, records);

    internal void Shortened(SpoolCounts before, SpoolCounts after)
    {
        if (after.ThinnedRecords > before.ThinnedRecords && gate.IsFirst(nameof(SpoolThinned), ""))
        {
            SpoolThinned(logger, after.ThinnedRecords, after.ThinnedSamples);
        }

        if (after.DroppedRecords > before.DroppedRecords && gate.IsFirst(nameof(SpoolDropped), ""))
        {
            SpoolDropped(logger, after.DroppedRecords, after.DroppedSamples);
        }
    }

    [LoggerMessage(EventId = 3000, EventName = "SpoolOpened", Level = LogLevel.Information,
        Message = "spool {Directory} opened: epoch {Epoch:x16}, {Bytes} bytes in {Chapters} chapters, next sequence {Next}, {TornBytes} bytes of an unfinished end cut off")]
    private static partial void SpoolOpened(ILogger logger, string directory, ulong epoch, long bytes, int chapters, ulong next, long tornBytes);

    [LoggerMessage(EventId = 3001, EventName = "SpoolUnavailable", Level = LogLevel.Error, Message = "spool {Directory} cannot be used: {Reason}; records are kept in memory only")]
    [EventHelp(
        Meaning = "Telemetry goes on, but what the aggregator has not taken is lost when the agent ends, and only a few hours fit.",
        Cause = "The directory cannot be made or written (permissions, a read-only file system, a symbolic link in its place), or the disk fails.",
        Action = "Make spool.directory a directory that only the agent's user can write. The agent tries again by itself.")]
    private static partial void SpoolUnavailable(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 3002, EventName = "SpoolMemoryOnly", Level = LogLevel.Error, Message = "spool {Directory} takes nothing: {Reason}; records are kept in memory only")]
    [EventHelp(
        Meaning = "Telemetry goes on, but what the aggregator has not taken is lost when the agent ends, and only a few hours fit.",
        Cause = "The disk is full, fails, or became read-only; the reason names the call that failed.",
        Action = "Look at the disk (`dmesg`, `df`, `df -i`). The agent tries again every few seconds and then writes what memory still holds.")]
    private static partial void SpoolMemoryOnly(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 3003, EventName = "SpoolDurableAgain", Level = LogLevel.Information, Message = "spool {Directory} is on disk again; what memory held is written")]
    private static partial void SpoolDurableAgain(ILogger logger, string directory);

    [LoggerMessage(EventId = 3004, EventName = "SpoolSetAside", Level = LogLevel.Warning, Message = "the spool found in {Directory} was set aside: {Reason}")]
    [EventHelp(
        Meaning = "The agent began a new spool; what the old one held will not be sent.",
        Cause = "The disk or the directory was copied from another machine, the node got another name, or a later version of the agent ran here.",
        Action = "The files are in the quarantine folders below the directory. Remove them, or give them to the agent or version they belong to.")]
    private static partial void SpoolSetAside(ILogger logger, string directory, string reason);

    [LoggerMessage(EventId = 3005, EventName = "SpoolDamaged", Level = LogLevel.Warning, Message = "spool {Directory} is damaged in {Places} places; {Records} records are lost")]
    [EventHelp(
        Meaning = "The records named are gone and counted as dropped; everything else is sent.",
        Cause = "Bytes on the disk changed or could not be read, or files were removed.",
        Action = "Look at the disk's health (`smartctl`, `dmesg`). Copies of the damaged bytes are in the quarantine folders.")]
    private static partial void SpoolDamaged(ILogger logger, string directory, int places, ulong records);

    [LoggerMessage(EventId = 3006, EventName = "SpoolThinned", Level = LogLevel.Warning, Message = "the spool is short of room: {Records} records and {Samples} samples were thinned out since its epoch began")]
    [EventHelp(
        Meaning = "The oldest data that the aggregator has not taken is kept coarser: last, minimum, maximum and average of 10 s, then of 60 s.",
        Cause = "The aggregator was away for longer than the spool has room for, or the disk is full.",
        Action = "Bring the aggregator back, or raise spool.max_bytes.")]
    private static partial void SpoolThinned(ILogger logger, ulong records, ulong samples);

    [LoggerMessage(EventId = 3007, EventName = "SpoolDropped", Level = LogLevel.Error, Message = "the spool is full: {Records} records and {Samples} samples were dropped since its epoch began")]
    [EventHelp(
        Meaning = "The oldest data that the aggregator has not taken is gone.",
        Cause = "The aggregator was away for so long that even coarse data does not fit, or the disk is full or fails.",
        Action = "Bring the aggregator back; raise spool.max_bytes; make room on the disk.")]
    private static partial void SpoolDropped(ILogger logger, ulong records, ulong samples);

    [LoggerMessage(EventId = 3008, EventName = "SpoolBacklogWaits", Level = LogLevel.Warning, Message = "spool {Directory} can be used again and holds {Records} records of an earlier life; they are sent first")]
    [EventHelp(
        Meaning = "The agent began without a disk and under a new epoch. It sends the earlier records as a backlog; until the aggregator has them all, new ones are kept in memory only.",
        Cause = "The spool's directory could not be used when the agent started.",
        Action = "None, while the aggregator can be reached; `SpoolOpened` says when the new records are on disk, too.")]
    private static partial void SpoolBacklogWaits(ILogger logger, string directory, ulong records);

    [LoggerMessage(EventId = 3009, EventName = "SpoolVanished", Level = LogLevel.Error, Message = "files of spool {Directory} were removed while it was in use; {Records} records are lost since its epoch began")]
    [EventHelp(
        Meaning = "What was in the files is gone and counted as dropped; the spool goes on in new ones.",
        Cause = "Somebody, or a clean-up job, deleted files below the directory.",
        Action = "Find out who did; exempt the directory from clean-up.")]
    private static partial void SpoolVanished(ILogger logger, string directory, ulong records);
}
