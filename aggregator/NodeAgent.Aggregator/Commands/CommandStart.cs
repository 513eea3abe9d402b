using NodeAgent.Aggregator.Fleet;
using NodeAgent.Commands;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Aggregator.Commands;

/// <summary>From a journal to a desk that goes on where it ended.</summary>
internal static class CommandStart
{
    /// <summary>Null: the journal cannot be opened, and the problem says why.</summary>
    internal static CommandDesk? TryOpen(JournalOptions options, IFileOps files, TimeProvider time, FleetRegistry fleet, CommandDeskLog log, out string problem)
    {
        CommandBook book = new();
        if (!CommandJournal.TryOpen(options, CommandIdentity.Aggregator, files, time, book.Apply, out CommandJournal? journal, out long unreadable, out OpenError? error))
        {
            problem = error.Message;
            return null;
        }

        problem = "";
        log.Replayed(book.Rollouts.Count(rollout => rollout.IsOpen), book.Lanes.Count(), journal.Head.ToString());
        if (!journal.Opening.IsWhole || journal.LostRecords > 0 || unreadable > 0)
        {
            log.Damaged(string.Join(", ", journal.Opening.Findings.Take(5)), journal.LostRecords, unreadable);
        }

        return new CommandDesk(journal, book, fleet, time, log);
    }
}
