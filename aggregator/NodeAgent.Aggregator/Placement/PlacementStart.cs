using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Aggregator.Placement;

/// <summary>From a journal to a desk that goes on where it ended.</summary>
internal static class PlacementStart
{
    /// <summary>Null: the journal cannot be opened, and the problem says why.</summary>
    internal static PlacementDesk? TryOpen(JournalOptions options, IFileOps files, TimeProvider time, FleetView view, PlacementLog log, out string problem)
    {
        PlacementReplay replay = new();
        if (!PlacementJournal.TryOpen(options, files, time, replay, out PlacementJournal? journal, out OpenError? error))
        {
            problem = error.Message;
            return null;
        }

        problem = "";
        log.Replayed(replay.Jobs.Count, replay.Calls, replay.Chapter);
        if (journal.Recovery is { LostRecords: > 0 })
        {
            log.Damaged((long)journal.Recovery.LostRecords, journal.Recovery.TornBytes);
        }

        if (replay.Differences > 0 || replay.Unread > 0)
        {
            log.Differs(replay.Differences, replay.Unread);
        }

        return new PlacementDesk(journal, replay, view, time, log);
    }
}
