using System.Security.Cryptography;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Tsdb.Segments;
using SegmentName = NodeAgent.Journal.Segments.SegmentName;

namespace NodeAgent.Tsdb.Backup;

/// <summary>
/// Verifies every checksum of a state directory or a backup, and says what is wrong where. Goes on behind what is wrong, so one look
/// tells everything. Reads through the code that opens a state, so what passes here opens.
/// </summary>
public sealed class StateCheck
{
    private readonly IProgress<BackupProgress> _progress;
    private readonly CancellationToken _cancellation;
    private readonly List<StateFinding> _findings = [];
    private readonly BackupView? _backup;
    private int _filesRead;
    private long _bytesRead;
    private long _totalBytes;

    private StateCheck(BackupView? backup, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        _backup = backup;
        _progress = progress;
        _cancellation = cancellation;
    }

    /// <summary>Checks a state directory that no aggregator has open.</summary>
    public static StateReport Run(StateOnDisk state, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        StateCheck check = new(null, progress, cancellation);
        check._totalBytes = state.Store?.Segments.Values.Sum(info => info.Length) ?? 0;
        check.Look(state);
        return check.Report();
    }

    /// <summary>Checks a backup: seals, digests, and then everything inside.</summary>
    public static StateReport Run(BackupView backup, TimeProvider time, IProgress<BackupProgress> progress, CancellationToken cancellation)
    {
        StateCheck check = new(backup, progress, cancellation);
        check._totalBytes = 3 * backup.Index.TotalBytes; // seals, digests, contents
        check.CheckSeals();
        check.CheckDigests();
        try
        {
            using StateOnDisk state = StateOnDisk.Open(backup, time);
            check.Look(state);
        }
        catch (BackupException e)
        {
            check.Damage(backup.Path, 0, e.Message);
        }

        return check.Report();
    }

    private void Look(StateOnDisk state)
    {
        foreach (JournalRoom journal in state.Journals)
        {
            LookAt(state.PathOf(journal.Name), journal.Found, journal.Problem);
        }

        if (state.Manifest is not null || state.StoreProblem.Length > 0)
        {
            LookAt(Path.Combine(state.StoreDirectory, "manifest"), state.Manifest, state.StoreProblem);
        }

        if (state.Store is { } store)
        {
            foreach (SegmentInfo info in store.Segments.Values)
            {
                LookAt(state, info);
            }
        }
    }

    private StateReport Report() => new(_findings, _filesRead, _bytesRead);

    private void CheckSeals()
    {
        using IEnumerator<SealedReader> files = _backup!.OpenSealed().GetEnumerator();
        while (TryNext(files))
        {
            using SealedReader file = files.Current;
            for (long chunk = 0; chunk < file.Chunks; chunk++)
            {
                Count(file.OffsetOf(1) - file.OffsetOf(0), $"seals of {file.Path}");
                IoResult opened = file.Check(chunk);
                if (!opened.Ok)
                {
                    string how = chunk == file.Chunks - 1 ? "does not verify, or the end of the file is missing" : "does not verify";
                    Damage(file.Path, file.OffsetOf(chunk), $"chunk {chunk} of {file.Chunks} {how}");
                }
            }
        }
    }

    private bool TryNext(IEnumerator<SealedReader> files)
    {
        while (true)
        {
            try
            {
                return files.MoveNext();
            }
            catch (BackupException e)
            {
                // The enumeration has ended with it; digests tell of the files behind.
                Damage(_backup!.Path, 0, e.Message);
                return false;
            }
        }
    }

    private void CheckDigests()
    {
        byte[] buffer = new byte[1 << 20];
        foreach (BackupEntry entry in _backup!.Index.Entries)
        {
            (string file, long start) = _backup.Locate(entry, 0);
            IoResult opened = _backup.Open($"{BackupView.Root}/{entry.Path}", FileOpenMode.Read);
            if (!opened.Ok)
            {
                Damage(file, start, $"{entry.Path} cannot be opened: {Errno.Name(opened.Errno)}");
                continue;
            }

            long length = _backup.Length(opened.Value).Value;
            if (length != entry.Length)
            {
                Damage(file, Math.Min(length, entry.Length), $"{entry.Path} has {length} bytes, not {entry.Length}");
            }
            else
            {
                CheckDigest(entry, opened.Value, buffer);
            }

            _backup.Close(opened.Value);
            _filesRead++;
        }
    }

    private void CheckDigest(BackupEntry entry, long handle, byte[] buffer)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long offset = 0; offset < entry.Length;)
        {
            Span<byte> piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.Length - offset));
            Count(piece.Length, $"digest of {entry.Path}");
            IoResult read = _backup!.ReadAll(handle, piece, offset);
            if (!read.Ok || read.Value != piece.Length)
            {
                (string file, long at) = _backup!.Locate(entry, offset);
                Damage(file, at, $"{entry.Path}: bytes {offset} to {offset + piece.Length - 1} cannot be read: {Errno.Name(read.Errno)}");
                return;
            }

            digest.AppendData(piece);
            offset += piece.Length;
        }

        if (!digest.GetHashAndReset().AsSpan().SequenceEqual(entry.Digest))
        {
            (string file, long at) = _backup!.Locate(entry, 0);
            Damage(file, at, $"{entry.Path} is not what was backed up: its SHA-256 is another");
        }
    }

    private void LookAt(string directory, RecoveryReport? found, string problem)
    {
        if (found is null || problem.Length > 0)
        {
            Damage(Named(directory), 0, problem);
            return;
        }

        foreach (Damage damage in found.Damages)
        {
            string file = Path.Combine(directory, SegmentName.Of(damage.Segment));
            string lost = damage.LostRecords > 0 ? $"; it cost {damage.LostRecords} records from {damage.FirstLostId} on" : "; it cost no record";
            Damage(Named(file), damage.Offset, $"{Words(damage)}{lost}");
        }

        foreach (string name in found.Quarantined.Where(name => name.Contains(SegmentName.Extension, StringComparison.Ordinal)))
        {
            Add(Named(Path.Combine(directory, name)), 0, "the file does not belong to the journal, or has no block that verifies", _backup is not null);
        }

        if (found.TornBytes > 0)
        {
            Add(Named(directory), 0, $"{found.TornBytes} bytes at the end were never finished", _backup is not null);
        }

        if (found.MissingAtHead > 0)
        {
            Add(Named(directory), 0, $"{found.MissingAtHead} records at the beginning are missing, and nothing says that they were released", _backup is not null);
        }

        if (_backup is null)
        {
            _filesRead += found.Segments;
        }
    }

    private void LookAt(StateOnDisk state, SegmentInfo info)
    {
        string path = Path.Combine(state.SegmentsDirectory, info.FileName);
        Count(info.Length, path);
        _filesRead += _backup is null ? 1 : 0;
        if (!SegmentFile.TryOpen(state.Files, state.SegmentsDirectory, info, out SegmentFile? file, out SegmentProblem? problem))
        {
            Damage(Named(path), problem.Offset, problem.Reason);
            return;
        }

        try
        {
            SegmentWalk.Check(file, (offset, what) => Damage(Named(path), offset, what));
        }
        finally
        {
            file.Release();
        }
    }

    // In a backup, paths are those of the view; what an operator can open is the backup.
    private string Named(string path) => _backup is null ? path : $"{_backup.Path}!{path[(BackupView.Root.Length + 1)..]}";

    private static string Words(Damage damage) => damage.Kind switch
    {
        DamageKind.CorruptBytes => $"{damage.Bytes} bytes do not verify",
        DamageKind.CorruptBlock => $"a block of {damage.Bytes} bytes does not verify",
        DamageKind.Unreadable => "the disk refuses to read",
        _ => "records are missing in front of this segment",
    };

    private void Count(long bytes, string what)
    {
        _cancellation.ThrowIfCancellationRequested();
        _bytesRead += bytes;
        _progress.Report(new BackupProgress(Math.Min(_bytesRead, _totalBytes), _totalBytes, $"checking {what}"));
    }

    private void Damage(string file, long offset, string what) => Add(file, offset, what, isDamage: true);

    private void Add(string file, long offset, string what, bool isDamage) => _findings.Add(new StateFinding(file, offset, what, isDamage));
}
