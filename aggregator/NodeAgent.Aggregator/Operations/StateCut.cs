using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Operations;

/// <summary>
/// Cuts a running aggregator's state. Takes milliseconds: files are opened, not read. Ingest goes on, but for the log's upkeep, which must
/// not let go of records between the store's cut and the log's.
/// </summary>
internal static class StateCut
{
    /// <param name="core">Ingest, with its journals.</param>
    /// <param name="extra">Journals that remember places in the log, by room: they are cut first.</param>
    /// <param name="files">The disk that all of it is on.</param>
    /// <exception cref="BackupException">The disk refused a call.</exception>
    internal static BackupCut Of(IngestCore core, IReadOnlyList<(string Room, Journal.DurableLog Log)> extra, IFileOps files)
    {
        BackupCut cut = new(files);
        try
        {
            core.Wal.WithoutReleases(wal =>
            {
                foreach ((string room, Journal.DurableLog log) in extra)
                {
                    cut.Add(room, log);
                }

                cut.Add(StateRooms.Quarantine, core.Quarantine.Log);
                cut.Add(StateRooms.Events, core.Journal.Log);
                if (core.Store is DurableStore store)
                {
                    cut.Add(StateRooms.Store, store);
                }

                cut.Add(StateRooms.Log, wal);
            });
            return cut;
        }
        catch
        {
            cut.Dispose();
            throw;
        }
    }
}
