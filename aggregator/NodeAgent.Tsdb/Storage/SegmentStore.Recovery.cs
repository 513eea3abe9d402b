using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Manifest;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>Opening: the manifest replayed, its segments opened and checked, and what a crash left removed.</summary>
internal sealed partial class SegmentStore
{
    private OpenError? Recover()
    {
        IoResult made = _files.CreateDirectory(Directory);
        if (!made.Ok)
        {
            JournalError cause = new("create directory", Directory, made.Errno);
            return new OpenError(OpenFailure.Disk, $"store: {cause}", cause);
        }

        ManifestState state = new();
        if (!_manifest.TryReplay(state))
        {
            return new OpenError(OpenFailure.Disk, $"store: the manifest cannot be read: {_manifest.Error}");
        }

        Restore(state);
        return OpenSegments(state);
    }

    private void Restore(ManifestState state)
    {
        _nextIds = state.NextIds;
        _walId = state.WalId;
        _logId = state.LogId;
        foreach (SchemaRecord whole in state.Schemas.Values.OrderBy(record => record.Id))
        {
            if (Known(whole, state.ForgottenSeries) is not { } record)
            {
                continue;
            }

            MemorySchema? schema = _registry.Restore(
                record.Id, record.Node, record.Sampler, record.IntervalMs, record.Definitions, record.Ids);
            if (schema is null)
            {
                Counters.AddUnknownSchema();
                continue;
            }

            schema.IsRecorded = true;
            schema.Restore(state.States.GetValueOrDefault(record.Id, SchemaState.Empty));
        }

        _registry.EndRestore();
        _registry.NextIds = (state.NextIds.Series, state.NextIds.Metric, state.NextIds.Schema);
    }

    /// <summary>A schema without the series that are forgotten; null: there is nothing else in it.</summary>
    private static SchemaRecord? Known(SchemaRecord record, HashSet<int> forgotten)
    {
        if (forgotten.Count == 0 || !Array.Exists(record.Ids, id => forgotten.Contains(id.Series)))
        {
            return record;
        }

        int[] kept = [.. Enumerable.Range(0, record.Ids.Length).Where(i => !forgotten.Contains(record.Ids[i].Series))];
        return kept.Length == 0
            ? null
            : record with { Definitions = [.. kept.Select(i => record.Definitions[i])], Ids = [.. kept.Select(i => record.Ids[i])] };
    }

    private OpenError? OpenSegments(ManifestState state)
    {
        List<string> names = [];
        IoResult listed = _files.List(Directory, names);
        if (!listed.Ok)
        {
            JournalError cause = new("list", Directory, listed.Errno);
            return new OpenError(OpenFailure.Disk, $"store: {cause}", cause);
        }

        List<SegmentFile> opened = [];
        List<SegmentProblem> damaged = [];
        foreach (SegmentInfo info in state.Segments.Values)
        {
            if (SegmentFile.TryOpen(_files, Directory, info, out SegmentFile? file, out SegmentProblem? problem))
            {
                opened.Add(file);
            }
            else if (problem.IsDamage)
            {
                damaged.Add(problem);
            }
            else
            {
                opened.ForEach(other => other.Release());
                return new OpenError(OpenFailure.Disk, $"store: segment {info.FileName}: {problem.Reason}");
            }
        }

        _sets.Replace(new SegmentSet(opened));
        SetAside(damaged);
        RemoveOrphans(names, [.. state.Segments.Values.Select(info => info.FileName)]);
        return null;
    }

    /// <summary>Damaged segments leave the set; their files are kept for whoever can make something of them.</summary>
    private void SetAside(List<SegmentProblem> damaged)
    {
        foreach (SegmentProblem problem in damaged)
        {
            Counters.AddQuarantined(problem);
            MoveToQuarantine(problem.Info.FileName);
        }

        if (damaged.Count > 0 && _manifest.TryRecord(new SegmentEdit(false, _walId, [], [.. damaged.Select(d => d.Info.Number)], NextIdsNeedsLock())))
        {
            _manifest.TryCommit(); // if not now, they are found damaged again
        }
    }

    /// <summary>
    /// Files that the manifest does not name: leftovers of a crash, except where the manifest itself was damaged. Then they may be all
    /// that is left of something, so they are set aside.
    /// </summary>
    private void RemoveOrphans(List<string> names, HashSet<string> known)
    {
        bool isTrusted = _manifest.Recovery is { LostRecords: 0, MissingAtHead: 0 };
        foreach (string name in names)
        {
            if (known.Contains(name))
            {
                continue;
            }

            if (long.TryParse(name.Split('.')[0], System.Globalization.NumberStyles.HexNumber, null, out long number))
            {
                _nextIds = _nextIds with { Segment = Math.Max(_nextIds.Segment, number + 1) };
            }

            Counters.AddOrphan();
            if (isTrusted || name.EndsWith(SegmentName.Unfinished, StringComparison.Ordinal))
            {
                Delete(name);
            }
            else
            {
                MoveToQuarantine(name);
            }
        }
    }

    private void MoveToQuarantine(string name)
    {
        string quarantine = Path.Combine(_root, QuarantineDirectory);
        bool moved = _files.CreateDirectory(quarantine).Ok
            && _files.RenameRetrying(Path.Combine(Directory, name), Path.Combine(quarantine, name)).Ok;
        if (!moved)
        {
            Counters.AddUndeleted();
        }
    }
}
