using NodeAgent.Journal;
using NodeAgent.Tsdb.Backup;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>For backups: the manifest and the segments it names, of one moment.</summary>
internal sealed partial class SegmentStore
{
    /// <summary>Leases the set that the manifest describes; no change comes between the two. The caller releases it.</summary>
    /// <exception cref="BackupException">The disk refuses to finish a change.</exception>
    public SegmentSet Cut(Action<DurableLog> manifest)
    {
        lock (_publication)
        {
            if (!TryFinishNeedsLock())
            {
                throw new BackupException(BackupFailure.Disk, $"the store's last change is not on the disk yet: {LastError}");
            }

            manifest(_manifest.Journal);
            return _sets.Lease();
        }
    }
}
