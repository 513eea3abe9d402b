using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Aggregator.Placement;

/// <summary>Events of placement: 9000 to 9099.</summary>
internal sealed partial class PlacementLog(ILogger<PlacementLog> logger)
{
    internal void Replayed(long jobs, long calls, long chapter) => PlacementReplayed(logger, jobs, calls, chapter);

    internal void ChapterBegun(long chapter, string reason, int nodes, int jobs) => PlacementChapterBegun(logger, chapter, reason, nodes, jobs);

    internal void JobLost(string job, string reason) => PlacementJobLost(logger, job, reason);

    internal void Differs(long differences, long unread) => PlacementReplayDiffers(logger, differences, unread);

    internal void Damaged(long records, long tornBytes) => PlacementJournalDamaged(logger, records, tornBytes);

    [LoggerMessage(EventId = 9000, EventName = "PlacementReplayed", Level = LogLevel.Information,
        Message = "placement has {Jobs} jobs again after {Calls} calls of chapter {Chapter}")]
    private static partial void PlacementReplayed(ILogger logger, long jobs, long calls, long chapter);

    [LoggerMessage(EventId = 9001, EventName = "PlacementChapterBegun", Level = LogLevel.Information,
        Message = "placement begins chapter {Chapter} ({Reason}): {Nodes} nodes, {Jobs} jobs")]
    private static partial void PlacementChapterBegun(ILogger logger, long chapter, string reason, int nodes, int jobs);

    [LoggerMessage(EventId = 9002, EventName = "PlacementJobLost", Level = LogLevel.Warning, Message = "job {Job} lost its place: {Reason}")]
    [EventHelp(
        Meaning = "The books had the job on a node that is not there any more, or no longer has what the job held. It holds nothing now.",
        Cause = "A node left the fleet, lost a GPU, or was partitioned with jobs on it.",
        Action = "`nodectl jobs` shows it. Release it and place it again; if the node comes back as it was, the job has its place again by itself.")]
    private static partial void PlacementJobLost(ILogger logger, string job, string reason);

    [LoggerMessage(EventId = 9003, EventName = "PlacementReplayDiffers", Level = LogLevel.Warning,
        Message = "the placement journal says otherwise than its replay ({Differences} differences, {Unread} records unread): the journal is right, jobs are where they were")]
    [EventHelp(
        Meaning = "Decisions in the journal are not the ones that this version makes from the same calls. Every job keeps the place that was written down; what the engine had learned of the workload begins again.",
        Cause = "The aggregator was upgraded to one that decides better, or records of the journal were lost to damage.",
        Action = "After an upgrade: nothing. Otherwise check the disk, and compare `nodectl jobs` with what runs.")]
    private static partial void PlacementReplayDiffers(ILogger logger, long differences, long unread);

    [LoggerMessage(EventId = 9004, EventName = "PlacementJournalDamaged", Level = LogLevel.Warning,
        Message = "the placement journal is damaged: {Records} records lost, {TornBytes} bytes torn")]
    [EventHelp(
        Meaning = "Some of what placement did before the last stop cannot be read back.",
        Cause = "Damage on the disk. (The torn end of a power cut alone costs nothing that was answered, and is not reported.)",
        Action = "Check the disk. Compare `nodectl jobs` with what runs; release what has ended, place what is missing.")]
    private static partial void PlacementJournalDamaged(ILogger logger, long records, long tornBytes);
}
