using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Tsdb.Manifest;

namespace NodeAgent.Tsdb.Backup;

/// <summary>A journal of a state, opened without changing it.</summary>
/// <param name="Name">Its directory, relative to the state directory.</param>
/// <param name="Log">The journal; null: it could not be opened, and <paramref name="Problem"/> says why.</param>
/// <param name="Problem">Why not.</param>
internal sealed record JournalRoom(string Name, DurableLog? Log, string Problem)
{
    public RecoveryReport? Found => Log?.Recovery;
}

/// <summary>
/// A state directory, or a backup, opened for looking only: every journal and the store's manifest are read from front to back, which
/// verifies each of their checksums; nothing is repaired, moved or deleted. A directory stays locked against an aggregator meanwhile.
/// </summary>
public sealed class StateOnDisk : IDisposable
{
    private readonly List<JournalRoom> _journals = [];
    private ManifestLog? _manifest;

    private StateOnDisk(IFileOps files, string directory, string storeDirectory)
    {
        Files = files;
        Directory = directory;
        StoreDirectory = storeDirectory;
    }

    internal IFileOps Files { get; }

    internal string Directory { get; }

    internal IReadOnlyList<JournalRoom> Journals => _journals;

    /// <summary>What the store's manifest says; null: there is no store, or its manifest cannot be read.</summary>
    internal ManifestState? Store { get; private set; }

    internal RecoveryReport? Manifest => _manifest?.Recovery;

    /// <summary>Why the manifest could not be read; empty: it could, or there is none.</summary>
    internal string StoreProblem { get; private set; } = "";

    internal string StoreDirectory { get; }

    internal string SegmentsDirectory => Path.Combine(StoreDirectory, "segments");

    /// <summary>Where a room is.</summary>
    internal string PathOf(string room) => room == StateRooms.Store ? StoreDirectory : Path.Combine(Directory, room);

    /// <summary>Opens a state directory that no aggregator has open.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="directory">The state directory.</param>
    /// <param name="time">For the journals.</param>
    /// <param name="storeDirectory">The store, where it is elsewhere.</param>
    /// <exception cref="BackupException">It is in use, or there is no state.</exception>
    public static StateOnDisk Open(IFileOps files, string directory, TimeProvider time, string? storeDirectory = null) =>
        Open(files, directory, storeDirectory, time, takesLocks: true);

    /// <summary>Opens what a backup holds.</summary>
    public static StateOnDisk Open(BackupView backup, TimeProvider time) => Open(backup, BackupView.Root, null, time, takesLocks: false);

    /// <summary>The state as a cut, for a backup.</summary>
    /// <exception cref="BackupException">A part of it cannot be opened.</exception>
    public BackupCut Cut()
    {
        BackupCut cut = new(Files);
        try
        {
            foreach (string room in StateRooms.CuttingOrder)
            {
                if (room == StateRooms.Store)
                {
                    CutStore(cut);
                }
                else if (_journals.Find(journal => journal.Name == room) is { } journal)
                {
                    cut.Add(room, journal.Log ?? throw new BackupException(BackupFailure.Damaged, journal.Problem));
                }
            }

            return cut;
        }
        catch
        {
            cut.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _journals.ForEach(journal => journal.Log?.Dispose());
        _manifest?.Dispose();
    }

    private static StateOnDisk Open(IFileOps files, string directory, string? storeDirectory, TimeProvider time, bool takesLocks)
    {
        if (files.Exists(Path.Combine(directory, StateRooms.UnfinishedRestore)) is { Ok: true, Value: 1 })
        {
            throw new BackupException(BackupFailure.Damaged, $"a restore into {directory} was interrupted; run it again");
        }

        FrozenFiles frozen = new(files, takesLocks);
        StateOnDisk state = new(frozen, directory, storeDirectory ?? Path.Combine(directory, StateRooms.Store));
        try
        {
            state.OpenRooms(files, time);
            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    private void OpenRooms(IFileOps files, TimeProvider time)
    {
        foreach (string room in StateRooms.CuttingOrder)
        {
            string directory = PathOf(room);
            bool isStore = room == StateRooms.Store;
            if (!files.List(isStore ? Path.Combine(directory, "manifest") : directory, new List<string>()).Ok)
            {
                continue;
            }

            if (isStore)
            {
                OpenStore(directory, time);
            }
            else
            {
                _journals.Add(OpenJournal(room, directory, time));
            }
        }

        if (_journals.Count == 0 && Store is null && StoreProblem.Length == 0)
        {
            throw new BackupException(BackupFailure.NotABackup, $"{Directory} holds no state of an aggregator");
        }
    }

    private JournalRoom OpenJournal(string room, string directory, TimeProvider time)
    {
        bool isOpen = DurableLog.TryOpen(new JournalOptions { Directory = directory }, Files, time, out DurableLog? log, out OpenError? error);
        RefuseIfLocked(error);
        return new JournalRoom(room, isOpen ? log : null, error?.Message ?? "");
    }

    private void OpenStore(string directory, TimeProvider time)
    {
        if (!ManifestLog.TryOpen(Path.Combine(directory, "manifest"), Files, time, out _manifest, out OpenError? error))
        {
            RefuseIfLocked(error);
            StoreProblem = error.Message;
            return;
        }

        ManifestState state = new();
        try
        {
            StoreProblem = _manifest.TryReplay(state) ? "" : $"{directory}: the manifest cannot be read: {_manifest.Error}";
            Store = StoreProblem.Length == 0 ? state : null;
        }
        catch (Exception e) when (e is InvalidDataException or IndexOutOfRangeException or ArgumentException or OverflowException)
        {
            StoreProblem = $"{directory}: the manifest makes no sense: {e.Message}";
        }
    }

    private void CutStore(BackupCut cut)
    {
        if (StoreProblem.Length > 0)
        {
            throw new BackupException(BackupFailure.Damaged, StoreProblem);
        }

        if (_manifest is not null && Store is not null)
        {
            cut.Add($"{StateRooms.Store}/manifest", _manifest.Journal);
            cut.Add(StateRooms.Store, SegmentsDirectory, Store.Segments.Values);
        }
    }

    private static void RefuseIfLocked(OpenError? error)
    {
        if (error?.Failure == OpenFailure.Locked)
        {
            throw new BackupException(BackupFailure.InUse, error.Message);
        }
    }
}
