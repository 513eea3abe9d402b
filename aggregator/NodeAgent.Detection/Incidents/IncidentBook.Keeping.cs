namespace NodeAgent.Detection.Incidents;

/// <content>What outlasts the book: incidents and silences as plain data, out and in again.</content>
public sealed partial class IncidentBook
{
    /// <summary>Silences in force, oldest first.</summary>
    public IReadOnlyList<Silence> Silences => _silences;

    /// <summary>The number that the next incident gets; never used before.</summary>
    public long NextId => _nextId;

    /// <summary>Takes back what a journal kept. Only on a book that was offered nothing yet.</summary>
    /// <param name="incidents">The last snapshot of each, merged ones left out.</param>
    /// <param name="silences">Those in force.</param>
    /// <param name="nextId">At least one more than any id ever given.</param>
    public void Restore(IEnumerable<IncidentSnapshot> incidents, IEnumerable<Silence> silences, long nextId)
    {
        foreach (IncidentSnapshot kept in incidents.OrderBy(kept => kept.ResolvedUnixMs).ThenBy(kept => kept.Id))
        {
            var incident = new Incident(kept, topology);
            _nextId = Math.Max(_nextId, kept.Id + 1);
            if (kept.State == IncidentState.Resolved)
            {
                _resolved.AddFirst(incident);
                continue;
            }

            _live.Add(incident.Id, incident);
            Index(incident);
        }

        _nextId = Math.Max(_nextId, nextId);
        foreach (Silence silence in silences)
        {
            _silences.Add(silence);
            _nextSilence = Math.Max(_nextSilence, silence.Id + 1);
        }
    }

    /// <summary>Incidents that changed in any way since the last call; one that is in neither list any more was merged into another.</summary>
    public IReadOnlyList<long> DrainTouched()
    {
        if (_touched.Count == 0)
        {
            return [];
        }

        long[] touched = [.. _touched.Order()];
        _touched.Clear();
        return touched;
    }

    /// <summary>Ends a silence early. False: there is none of this id.</summary>
    public bool Unquieten(long id, long unixMs, ICollection<IncidentChange> changes)
    {
        if (_silences.RemoveAll(silence => silence.Id == id) == 0)
        {
            return false;
        }

        EndSilences(unixMs, changes);
        return true;
    }

    // What no silence covers any more is heard again.
    private void EndSilences(long unixMs, ICollection<IncidentChange> changes)
    {
        foreach (Incident incident in _live.Values.Where(incident => incident.State == IncidentState.Silenced))
        {
            if (incident.Findings.All(finding => _silences.Exists(silence => silence.Covers(finding, unixMs))))
            {
                continue;
            }

            incident.State = incident.AcknowledgedBy.Length > 0 ? IncidentState.Acknowledged : IncidentState.Open;
            _touched.Add(incident.Id);
            changes.Add(new IncidentChange(unixMs, IncidentChangeKind.Unsilenced, incident.Id, 0, "its silence ended"));
        }
    }
}
