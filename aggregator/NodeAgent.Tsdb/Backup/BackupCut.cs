using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Backup;

/// <summary>A file that goes into a backup: open, and never changed below its length.</summary>
/// <param name="Path">Relative to the state directory, with <c>/</c>.</param>
/// <param name="Length">Bytes that belong to the cut.</param>
/// <param name="Read">Reads some of them: into, offset.</param>
/// <param name="LinkFrom">The file's own path where a hard link to it would do: it is complete and never changes. Null: copy it.</param>
public sealed record BackupFile(string Path, long Length, Func<Memory<byte>, long, IoResult> Read, string? LinkFrom);

/// <summary>
/// The whole state of an aggregator at one moment, held open while work goes on. What makes it consistent is the order of cutting: the
/// store before the log (so the log has every row that the store has not, and the store none that the log does not know), and
/// what remembers places in the log (events, cursors) before both. Whoever cuts keeps the log from being shortened meanwhile.
/// </summary>
public sealed class BackupCut : IDisposable
{
    private readonly IFileOps _files;
    private readonly List<BackupFile> _entries = [];
    private readonly List<JournalCut> _journals = [];
    private readonly List<SegmentSet> _leases = [];
    private readonly List<long> _handles = [];

    public BackupCut(IFileOps files) => _files = files;

    public IReadOnlyList<BackupFile> Files => _entries;

    public long TotalBytes => _entries.Sum(file => file.Length);

    /// <summary>The newest record of the last journal that was added: the write-ahead log's.</summary>
    public ulong LogId { get; private set; }

    /// <summary>Adds a journal as it is on the disk now.</summary>
    /// <param name="name">Its directory, relative to the state directory.</param>
    /// <param name="journal">The open journal.</param>
    /// <exception cref="BackupException">The disk refused.</exception>
    public void Add(string name, DurableLog journal)
    {
        if (!journal.TryCut(out JournalCut? cut, out JournalError? error))
        {
            throw new BackupException(BackupFailure.Disk, error.ToString());
        }

        _journals.Add(cut);
        LogId = cut.ThroughId;
        foreach (JournalPiece piece in cut.Pieces)
        {
            long handle = piece.Handle;
            _entries.Add(new BackupFile($"{name}/{piece.Name}", piece.Bytes, (into, offset) => _files.ReadAll(handle, into.Span, offset), null));
        }
    }

    /// <summary>Adds a store as its files are now; rows that are in none are the log's.</summary>
    /// <param name="name">Its directory, relative to the state directory.</param>
    /// <param name="store">The open store.</param>
    /// <exception cref="BackupException">The disk refused.</exception>
    public void Add(string name, DurableStore store)
    {
        SegmentSet set = store.Segments.Cut(manifest => Add($"{name}/manifest", manifest));
        _leases.Add(set);
        foreach (SegmentFile file in set.All)
        {
            _entries.Add(new BackupFile(
                $"{name}/segments/{file.Info.FileName}", file.Info.Length, (into, offset) => file.Read(into.Span, offset),
                Path.Combine(store.Segments.Directory, file.Info.FileName)));
        }
    }

    /// <summary>Adds the segments that a manifest names, of a store that nobody has open.</summary>
    internal void Add(string name, string directory, IEnumerable<SegmentInfo> segments)
    {
        foreach (SegmentInfo info in segments)
        {
            string path = Path.Combine(directory, info.FileName);
            IoResult opened = _files.OpenRetrying(path, FileOpenMode.Read);
            if (!opened.Ok)
            {
                throw BackupException.Disk("open", path, opened.Errno);
            }

            long handle = opened.Value;
            _handles.Add(handle);
            _entries.Add(new BackupFile($"{name}/segments/{info.FileName}", info.Length, (into, offset) => _files.ReadAll(handle, into.Span, offset), path));
        }
    }

    public void Dispose()
    {
        _journals.ForEach(journal => journal.Dispose());
        _leases.ForEach(set => set.Release());
        _handles.ForEach(handle => _files.Close(handle)); // opened for reading: nothing can be lost
        _journals.Clear();
        _leases.Clear();
        _handles.Clear();
    }
}
