using System.Diagnostics.CodeAnalysis;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Index;
using NodeAgent.Tsdb.Manifest;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// The segments and the manifest that says which there are. A change happens in this order, and a crash between any two steps leaves
/// either the old state or the new one: files are written and made durable under names that nothing refers to; one manifest record
/// that adds them and removes others is made durable; readers get the new set; files that are not in it are deleted. What a crash
/// leaves behind is found and removed at the next opening.
/// </summary>
internal sealed partial class SegmentStore : IDisposable
{
    private const string SegmentsDirectory = "segments";
    private const string ManifestDirectory = "manifest";
    private const string QuarantineDirectory = "quarantine";
    private const long ShortenAboveBytes = 64L * 1024 * 1024;

    private readonly IFileOps _files;
    private readonly string _root;
    private readonly SeriesRegistry _registry;
    private readonly ManifestLog _manifest;
    private readonly SegmentSetHolder _sets = new();
    private readonly Lock _publication = new();
    private Publication? _unfinished; // taken by the journal, not yet durable
    private NextIds _nextIds;
    private ulong _walId;
    private long _shortenedBytes;
    private readonly List<int> _forgotten = []; // series that the journal has not been told of yet
    private Guid _logId;

    private SegmentStore(IFileOps files, string root, SeriesRegistry registry, ManifestLog manifest)
    {
        _files = files;
        _root = root;
        _registry = registry;
        _manifest = manifest;
    }

    public ReadCounters Reads { get; } = new();

    public StorageCounters Counters { get; } = new();

    public IFileOps Files => _files;

    public string Directory => Path.Combine(_root, SegmentsDirectory);

    /// <summary>The newest set; for looking. Readers of samples lease it.</summary>
    public SegmentSet Current => _sets.Current;

    public SegmentSetHolder Sets => _sets;

    /// <summary>Every row of the log up to this id was in files when the last edit was recorded.</summary>
    public ulong WalId => Volatile.Read(ref _walId);

    /// <summary>The last call that the disk refused; null: the last change went well.</summary>
    public JournalError? LastError { get; private set; }

    /// <summary>Opens the directory, or makes it: replays the manifest, opens and checks its segments, removes what a crash left.</summary>
    public static bool TryOpen(
        IFileOps files, string root, SeriesRegistry registry, TimeProvider time,
        [NotNullWhen(true)] out SegmentStore? store, [NotNullWhen(false)] out OpenError? error)
    {
        store = null;
        if (!ManifestLog.TryOpen(Path.Combine(root, ManifestDirectory), files, time, out ManifestLog? manifest, out error))
        {
            return false;
        }

        SegmentStore opened = new(files, root, registry, manifest);
        error = opened.Recover();
        if (error is not null)
        {
            manifest.Dispose();
            return false;
        }

        store = opened;
        return true;
    }

    /// <summary>Begins a segment file that <see cref="Publish"/> will add. Its sequence is given there unless it is known.</summary>
    public SegmentWriter Create(SegmentKind kind, SegmentLevel level, long sequence, long windowStartUnixMs, long windowEndUnixMs)
    {
        long number;
        lock (_publication)
        {
            number = _nextIds.Segment;
            _nextIds = _nextIds with { Segment = number + 1 };
        }

        return new SegmentWriter(
            _files, Directory, new SegmentInfo(number, kind, level, sequence, windowStartUnixMs, windowEndUnixMs, 0, 0, 0, 0, 0));
    }

    /// <summary>A sequence behind all others, for rows that are written now.</summary>
    public long NextSequence()
    {
        lock (_publication)
        {
            long sequence = _nextIds.Sequence;
            _nextIds = _nextIds with { Sequence = sequence + 1 };
            return sequence;
        }
    }

    /// <summary>
    /// Makes a change. <see cref="PublicationResult.Refused"/>: it did not happen, and the added files are removed.
    /// <see cref="PublicationResult.Unfinished"/>: the journal has it, but not the disk; it happens with the next
    /// <see cref="TryFinish"/> that succeeds, or is lost with the process.
    /// </summary>
    public PublicationResult Publish(Publication publication)
    {
        lock (_publication)
        {
            if (!TryFinishNeedsLock() || !TryOpenAddedNeedsLock(publication))
            {
                Discard(publication.Added);
                return PublicationResult.Refused;
            }

            List<MemorySchema> unknown = [.. publication.States.Select(state => state.Schema).Where(schema => !schema.IsRecorded)];
            ulong walId = Math.Max(_walId, publication.WalId);
            SegmentEdit edit = new(false, walId, publication.Added, publication.Removed, NextIdsNeedsLock());
            if (!TryNoteForgottenNeedsLock() || !_manifest.TryRecord(unknown) || !_manifest.TryRecord(edit))
            {
                LastError = _manifest.Error;
                publication.CloseOpened();
                Discard(publication.Added);
                return PublicationResult.Refused;
            }

            unknown.ForEach(schema => schema.IsRecorded = true);
            _manifest.Record(publication.States);
            _unfinished = publication with { WalId = walId };
            return TryFinishNeedsLock() ? PublicationResult.Done : PublicationResult.Unfinished;
        }
    }

    /// <summary>Of which log the ids are; empty: none was named.</summary>
    public Guid LogId => _logId;

    /// <summary>Says of which log the ids are from here on; nothing is known of its records. False: the disk refuses to note it.</summary>
    public bool TryUseLog(Guid logId)
    {
        lock (_publication)
        {
            if (!_manifest.TryRecord(logId) || !_manifest.TryCommit())
            {
                LastError = _manifest.Error;
                return false;
            }

            _logId = logId;
            Volatile.Write(ref _walId, 0);
            return true;
        }
    }

    /// <summary>Notes that the disk refused a call, and removes the files that would have been part of the change.</summary>
    public void Fail(JournalError error, IReadOnlyList<SegmentInfo> added)
    {
        lock (_publication)
        {
            LastError = error;
            Discard(added);
        }
    }

    /// <summary>Brings a change to its end that the disk refused before. True: none is open.</summary>
    public bool TryFinish()
    {
        lock (_publication)
        {
            return TryFinishNeedsLock();
        }
    }

    /// <summary>Notes that schemas are gone. Best effort: what is not noted is forgotten again after a restart.</summary>
    public void Forget(List<MemorySchema> schemas)
    {
        lock (_publication)
        {
            List<MemorySchema> recorded = schemas.FindAll(schema => schema.IsRecorded);
            if (recorded.Count > 0)
            {
                _manifest.TryForget(recorded);
            }
        }
    }

    /// <summary>
    /// Forgets series and notes it, ahead of any record in which somebody with the same labels has another id.
    /// </summary>
    /// <param name="forget">Forgets them; returns their ids.</param>
    public void ForgetSeries(Func<List<int>> forget)
    {
        lock (_publication)
        {
            _forgotten.AddRange(forget());
            TryNoteForgottenNeedsLock();
        }
    }

    /// <summary>Writes the manifest anew when most of it no longer holds.</summary>
    public void ShortenManifest()
    {
        lock (_publication)
        {
            long bytes = _manifest.DiskBytes;
            if (bytes >= ShortenAboveBytes && bytes >= 3 * _shortenedBytes)
            {
                TryShortenNeedsLock();
            }
        }
    }

    /// <summary>For tests: writes the manifest anew, however small it is.</summary>
    internal bool ShortenNow()
    {
        lock (_publication)
        {
            return TryShortenNeedsLock();
        }
    }

    /// <summary>Bytes of all segment files and the manifest.</summary>
    public long DiskBytes() => Current.All.Sum(file => file.Info.Length) + _manifest.DiskBytes;

    public void Dispose()
    {
        lock (_publication)
        {
            TryFinishNeedsLock();
            _sets.Replace(new SegmentSet([]));
            _manifest.Dispose();
        }
    }

    private bool TryShortenNeedsLock()
    {
        if (!TryFinishNeedsLock() || !TryNoteForgottenNeedsLock())
        {
            return false;
        }

        List<MemorySchema> alive = [];
        _registry.CopySchemas(alive);
        List<(MemorySchema Schema, SchemaState State)> schemas =
            [.. alive.Where(schema => schema.IsRecorded).Select(schema => (schema, schema.State)), .. _registry.InactiveSchemas()];
        SegmentInfo[] segments = [.. Current.All.Select(file => file.Info)];
        if (!_manifest.TryShorten(_logId, schemas, new SegmentEdit(true, _walId, segments, [], NextIdsNeedsLock())))
        {
            return false;
        }

        _shortenedBytes = _manifest.DiskBytes;
        return true;
    }

    private bool TryNoteForgottenNeedsLock()
    {
        if (_forgotten.Count > 0 && _manifest.TryForgetSeries(_forgotten))
        {
            _forgotten.Clear();
        }

        return _forgotten.Count == 0;
    }

    private NextIds NextIdsNeedsLock()
    {
        (int series, int metric, int schema) = _registry.NextIds;
        _nextIds = _nextIds.Max(new NextIds(series, metric, schema, 0, 0));
        return _nextIds;
    }

    private bool TryOpenAddedNeedsLock(Publication publication)
    {
        foreach (SegmentInfo info in publication.Added)
        {
            if (!SegmentFile.TryOpen(_files, Directory, info, out SegmentFile? file, out SegmentProblem? problem))
            {
                // What was written a moment ago cannot be read: it is not what should replace anything.
                LastError = new JournalError($"open ({problem.Reason})", Path.Combine(Directory, info.FileName), Errno.InputOutput);
                publication.CloseOpened();
                return false;
            }

            publication.Opened.Add(file);
        }

        return true;
    }

    private bool TryFinishNeedsLock()
    {
        if (_unfinished is not { } publication)
        {
            return true;
        }

        if (!_manifest.TryCommit())
        {
            LastError = _manifest.Error;
            return false;
        }

        _unfinished = null;
        LastError = null;
        HashSet<long> removed = [.. publication.Removed];
        SegmentInfo[] gone = [.. Current.All.Where(file => removed.Contains(file.Info.Number)).Select(file => file.Info)];
        _sets.Replace(Current.With(publication.Opened, removed));
        Volatile.Write(ref _walId, publication.WalId);
        publication.OnDone();
        Discard(gone);
        return true;
    }

    private void Discard(IReadOnlyList<SegmentInfo> infos)
    {
        foreach (SegmentInfo info in infos)
        {
            Delete(info.FileName);
        }
    }

    private void Delete(string name)
    {
        if (!_files.DeleteRetrying(Path.Combine(Directory, name)).Ok)
        {
            Counters.AddUndeleted(); // it is in no set, so the next opening tries again
        }
    }
}
