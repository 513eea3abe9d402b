using NodeAgent.Detection;
using NodeAgent.Detection.Incidents;
using NodeAgent.Journal;
using NodeAgent.V1;
using BookIncident = NodeAgent.Detection.Incidents.Incident;
using Finding = NodeAgent.Detection.Finding;

namespace NodeAgent.Aggregator.Detection;

/// <summary>
/// The one place where incidents live: the book, its journal and its watchers under one lock. The detection thread offers findings, people give
/// orders; both see each other's work at once.
/// </summary>
internal sealed class IncidentDesk : IDisposable
{
    private const long MostRecords = 20_000;
    private const int MostResolvedKept = 500;
    private const long CursorEveryMs = 60_000;

    private readonly Lock _lock = new();
    private readonly IncidentBook _book;
    private readonly IncidentJournal _journal;
    private readonly IncidentMapping _mapping;
    private readonly Feedback _feedback;
    private readonly List<IncidentSubscription> _watchers = [];
    private readonly List<NodeAgent.Detection.Incidents.IncidentChange> _changes = [];
    private long _opened;
    private long _eventsThroughMs;
    private long _cursorWrittenMs;

    internal IncidentDesk(IncidentJournal journal, IncidentReplay replay, LiveTopology topology, IncidentMapping mapping, Feedback feedback, long nowMs)
    {
        (_journal, _mapping, _feedback) = (journal, mapping, feedback);
        _book = new IncidentBook(topology);
        _book.Restore(replay.Incidents, replay.Silences.Where(silence => silence.UntilUnixMs > nowMs), replay.NextId);
        foreach ((string cause, double strictness) in replay.Strictness)
        {
            feedback.Restore(cause, strictness);
        }

        _eventsThroughMs = replay.EventsThroughUnixMs;
    }

    /// <summary>For a backup.</summary>
    internal DurableLog JournalLog => _journal.Log;

    internal bool IsDurable => _journal.IsHealthy && _journal.Lost == 0;

    /// <summary>Events received up to then were looked at before a restart.</summary>
    internal long EventsThroughMs => _eventsThroughMs;

    /// <summary>What holds by a rule, for detection to go on from after a restart.</summary>
    internal IReadOnlyList<Finding> ActiveFindings()
    {
        lock (_lock)
        {
            return [.. _book.Live.SelectMany(incident => incident.Findings.Where(incident.IsActive))];
        }
    }

    internal void Offer(List<Finding> findings, long eventsThroughMs, long nowMs)
    {
        lock (_lock)
        {
            foreach (Finding finding in findings)
            {
                _book.Offer(finding, _changes);
            }

            _eventsThroughMs = Math.Max(_eventsThroughMs, eventsThroughMs);
            SettleNeedsLock(nowMs);
        }
    }

    /// <summary>Time goes on.</summary>
    internal void Advance(long nowMs)
    {
        lock (_lock)
        {
            _book.Advance(nowMs, _changes);
            if (_eventsThroughMs > 0 && nowMs - _cursorWrittenMs >= CursorEveryMs)
            {
                WriteCursorNeedsLock(nowMs);
            }

            SettleNeedsLock(nowMs);
            if (_journal.Records > MostRecords)
            {
                WriteAnewNeedsLock(nowMs);
            }
        }
    }

    /// <summary>Null: no such incident is live. The bool: it is durable.</summary>
    internal (V1.Incident Incident, bool IsDurable)? Acknowledge(long id, string by, long nowMs)
    {
        lock (_lock)
        {
            if (!_book.Acknowledge(id, by, nowMs, _changes))
            {
                return null;
            }

            SettleNeedsLock(nowMs);
            return (_mapping.ToWire(_book.Find(id)!, withFindings: false, nowMs), _journal.Commit());
        }
    }

    internal (Silence Silence, bool IsDurable) Silence(Silence wanted, long nowMs)
    {
        lock (_lock)
        {
            if (!_book.Quieten(wanted, nowMs, _changes))
            {
                throw new ArgumentException("a silence needs a reason and an end in the future");
            }

            Silence set = _book.Silences[^1];
            _journal.Append(IncidentRecordKind.Silence, set);
            SettleNeedsLock(nowMs);
            return (set, _journal.Commit());
        }
    }

    /// <summary>Null: there is no such silence.</summary>
    internal bool? Unsilence(long id, long nowMs)
    {
        lock (_lock)
        {
            if (!_book.Unquieten(id, nowMs, _changes))
            {
                return null;
            }

            _journal.Append(IncidentRecordKind.Unsilence, new EndedSilence(id));
            SettleNeedsLock(nowMs);
            return _journal.Commit();
        }
    }

    internal IReadOnlyList<Silence> Silences()
    {
        lock (_lock)
        {
            return [.. _book.Silences];
        }
    }

    /// <summary>Null: no such incident is known.</summary>
    internal (string Cause, double Strictness, bool IsDurable)? Judge(long id, bool right)
    {
        lock (_lock)
        {
            if (_book.Find(id) is not { } incident)
            {
                return null;
            }

            string cause = incident.Causes[0].Cause.Cause;
            double strictness = _feedback.Judge(cause, right);
            _journal.Append(IncidentRecordKind.Strictness, new CauseStrictness(cause, strictness));
            return (cause, strictness, _journal.Commit());
        }
    }

    /// <summary>Null: no such incident is known.</summary>
    internal (V1.Incident Wire, IReadOnlyList<Finding> Findings, string Why, double Strictness)? Find(long id, long nowMs)
    {
        lock (_lock)
        {
            return _book.Find(id) is { } incident
                ? (_mapping.ToWire(incident, withFindings: true, nowMs), [.. incident.Findings], _mapping.WhyOf(incident), _feedback.Of(incident.Causes[0].Cause.Cause))
                : null;
        }
    }

    internal (IReadOnlyList<V1.Incident> Incidents, int Total) List(Func<BookIncident, bool> passes, bool withResolved, int limit, long nowMs)
    {
        lock (_lock)
        {
            BookIncident[] found = [.. _book.Live.Concat(withResolved ? _book.Resolved : []).Where(passes)];
            return ([.. found.Take(limit).Select(incident => _mapping.ToWire(incident, withFindings: false, nowMs))], found.Length);
        }
    }

    /// <summary>What is there, and from that moment on every change, without a hole between.</summary>
    internal IReadOnlyList<V1.Incident> Subscribe(IncidentSubscription watcher, long nowMs)
    {
        lock (_lock)
        {
            _watchers.Add(watcher);
            return PresentNeedsLock(watcher, nowMs);
        }
    }

    internal IReadOnlyList<V1.Incident> Present(IncidentSubscription watcher, long nowMs)
    {
        lock (_lock)
        {
            return PresentNeedsLock(watcher, nowMs);
        }
    }

    internal void Unsubscribe(IncidentSubscription watcher)
    {
        lock (_lock)
        {
            _watchers.Remove(watcher);
        }
    }

    internal (int Open, long Opened, long Suppressed, long SetAside) Count()
    {
        lock (_lock)
        {
            return (_book.Live.Count(incident => incident.State != NodeAgent.Detection.Incidents.IncidentState.Silenced), _opened, _book.Suppressed, _book.SetAside);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            WriteCursorNeedsLock(0);
            _journal.Commit();
            _journal.Dispose();
        }
    }

    private V1.Incident[] PresentNeedsLock(IncidentSubscription watcher, long nowMs) =>
        [.. _book.Live.Where(incident => IsFor(watcher, incident)).Select(incident => _mapping.ToWire(incident, withFindings: false, nowMs))];

    private static bool IsFor(IncidentSubscription watcher, BookIncident incident) => watcher.Node.Length == 0 || incident.Nodes.Contains(watcher.Node);

    // First the journal, then who watches: nobody is told what is not at least on its way to the disk.
    private void SettleNeedsLock(long nowMs)
    {
        foreach (long id in _book.DrainTouched())
        {
            if (_book.Find(id) is { } incident)
            {
                _journal.Append(IncidentRecordKind.Incident, incident.Snapshot());
            }
            else
            {
                _journal.Append(IncidentRecordKind.Merged, new MergedIncident(id));
            }
        }

        foreach (NodeAgent.Detection.Incidents.IncidentChange change in _changes)
        {
            _opened += change.Kind == IncidentChangeKind.Opened ? 1 : 0;
            Tell(change, nowMs);
        }

        _changes.Clear();
    }

    private void Tell(NodeAgent.Detection.Incidents.IncidentChange change, long nowMs)
    {
        if (_watchers.Count == 0)
        {
            return;
        }

        // Of a merge, the one that lives on: the other is no more.
        BookIncident? incident = _book.Find(change.Into > 0 ? change.Into : change.Incident);
        if (incident is null)
        {
            return;
        }

        V1.Incident wire = _mapping.ToWire(incident, withFindings: false, nowMs);
        wire.Id = (ulong)change.Incident;
        foreach (IncidentSubscription watcher in _watchers.Where(watcher => IsFor(watcher, incident)))
        {
            watcher.Push(new IncidentUpdate
            {
                Change = IncidentMapping.ToWire(change.Kind),
                Incident = wire,
                MergedInto = (ulong)change.Into,
                Text = change.Text,
                UnixMs = change.UnixMs,
            });
        }
    }

    private void WriteCursorNeedsLock(long nowMs)
    {
        _journal.Append(IncidentRecordKind.Cursor, new DetectionCursor(_eventsThroughMs, _book.NextId));
        _cursorWrittenMs = nowMs;
    }

    // Everything once more, then what was before may go. A crash in between leaves both, which say the same.
    private void WriteAnewNeedsLock(long nowMs)
    {
        ulong first = _journal.Append(IncidentRecordKind.Cursor, new DetectionCursor(_eventsThroughMs, _book.NextId));
        bool isWhole = first > 0;
        long records = 1;
        foreach (BookIncident incident in _book.Live.Concat(_book.Resolved.Take(MostResolvedKept)))
        {
            isWhole &= _journal.Append(IncidentRecordKind.Incident, incident.Snapshot()) > 0;
            records++;
        }

        foreach (Silence silence in _book.Silences)
        {
            isWhole &= _journal.Append(IncidentRecordKind.Silence, silence) > 0;
            records++;
        }

        foreach ((string cause, double strictness) in _feedback.All())
        {
            isWhole &= _journal.Append(IncidentRecordKind.Strictness, new CauseStrictness(cause, strictness)) > 0;
            records++;
        }

        _cursorWrittenMs = nowMs;
        if (isWhole && _journal.Commit())
        {
            _journal.BeginsAnewAt(first, records);
        }
    }
}
