namespace NodeAgent.Agent.Spool;

/// <summary>What became of records and samples otherwise than by acknowledgement, since the epoch began, and in those that it took the place of. Only grows; survives a
/// restart.</summary>
/// <param name="DroppedRecords">Records that nobody will ever get: dropped for want of room, or lost to damage.</param>
/// <param name="DroppedSamples">Samples in those dropped for want of room. What damage took could not be counted.</param>
/// <param name="ThinnedRecords">Records that were merged into coarser ones.</param>
/// <param name="ThinnedSamples">Samples that are no more since only the last one of its window is left as it was.</param>
/// <param name="LostRecords">Of the dropped records those lost to damage of the spool's files.</param>
internal readonly record struct SpoolCounts(
    ulong DroppedRecords, ulong DroppedSamples, ulong ThinnedRecords, ulong ThinnedSamples, ulong LostRecords)
{
    internal SpoolCounts Plus(in SpoolCounts other) => new(
        DroppedRecords + other.DroppedRecords,
        DroppedSamples + other.DroppedSamples,
        ThinnedRecords + other.ThinnedRecords,
        ThinnedSamples + other.ThinnedSamples,
        LostRecords + other.LostRecords);
}
