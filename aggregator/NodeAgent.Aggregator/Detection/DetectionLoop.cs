using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Detection;
using NodeAgent.Placement.Engine;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using Finding = NodeAgent.Detection.Finding;

namespace NodeAgent.Aggregator.Detection;

/// <summary>
/// The thread that detection runs on: takes what waits, looks at it, tells the desk. When it falls behind it leaves out what is cheapest to do
/// without, says so once, and counts; when the queue itself is full, ingest drops rows at its door and goes on.
/// </summary>
internal sealed class DetectionLoop : IDisposable
{
    // Two seconds from an agent to a watcher are promised: a twentieth is spent on not being woken for every row.
    private static readonly TimeSpan Nap = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan TickEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FollowEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LateAfter = TimeSpan.FromSeconds(2);

    // Events that a crash kept from being looked at; what is older was either seen or is history.
    private const long CatchUpMs = 3_600_000;
    private const double LanesAt = 0.25, PeersAt = 0.5, EnoughAt = 0.05;
    private const int Slice = 256;

    private readonly DetectionQueue _queue;
    private readonly DetectionCore _core;
    private readonly IncidentDesk _desk;
    private readonly Func<IReadOnlyList<PlacedJob>> _jobs;
    private readonly TimeProvider _time;
    private readonly DetectionLog _log;
    private readonly List<Finding> _findings = [];
    private readonly List<QueuedEvent> _events = [];
    private readonly Thread _thread;
    private List<DetectionRow> _empty = [];
    private volatile bool _isStopping;
    private volatile Shedding _shed;
    private long _tickedAt;
    private long _followedAt;
    private long _rows;
    private long _found;
    private long _errors;
    private long _cpuMicros;
    private long _samples;
    private long _shedLanes;
    private long _shedPeers;
    private long _series;
    private long _unwatched;
    private long _bytes;

    internal DetectionLoop(
        DetectionQueue queue, DetectionCore core, IncidentDesk desk, EventLedger events, Func<IReadOnlyList<PlacedJob>> jobs, TimeProvider time, DetectionLog log)
    {
        (_queue, _core, _desk, _jobs, _time, _log) = (queue, core, desk, jobs, time, log);
        GoOn(events);
        (_tickedAt, _followedAt) = (time.GetTimestamp(), time.GetTimestamp());
        _thread = new Thread(Run) { Name = "detection", IsBackground = true };
    }

    private long NowMs => _time.GetUtcNow().ToUnixTimeMilliseconds();

    internal void Start() => _thread.Start();

    internal GetStatusResponse.Types.DetectionStatus Status()
    {
        (_, TimeSpan lag, int waiting) = _queue.Fill();
        (int open, long opened, long suppressed, long setAside) = _desk.Count();
        long shedRows = _queue.ShedRows;
        return new GetStatusResponse.Types.DetectionStatus
        {
            Series = (ulong)Volatile.Read(ref _series),
            UnwatchedSeries = (ulong)Volatile.Read(ref _unwatched),
            MemoryBytes = (ulong)Volatile.Read(ref _bytes),
            LagMs = (ulong)lag.TotalMilliseconds,
            WaitingRows = (ulong)waiting,
            RowsTotal = (ulong)Volatile.Read(ref _rows),
            SamplesTotal = (ulong)Volatile.Read(ref _samples),
            ShedLaneSamplesTotal = (ulong)Volatile.Read(ref _shedLanes),
            ShedPeerLooksTotal = (ulong)Volatile.Read(ref _shedPeers),
            ShedRowsTotal = (ulong)shedRows,
            LostEventsTotal = (ulong)_queue.LostEvents,
            Shedding = _shed switch { Shedding.None => "none", Shedding.Lanes => "lanes", _ => "peers" },
            FindingsTotal = (ulong)Volatile.Read(ref _found),
            OpenIncidents = (ulong)open,
            IncidentsTotal = (ulong)opened,
            SuppressedFindingsTotal = (ulong)suppressed,
            SetAsideFindingsTotal = (ulong)setAside,
            CpuMsTotal = (ulong)(Volatile.Read(ref _cpuMicros) / 1000),
            JournalHealthy = _desk.IsDurable,
            ErrorsTotal = (ulong)Volatile.Read(ref _errors),
        };
    }

    public void Dispose()
    {
        _isStopping = true;
        _queue.Wake();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        BackgroundThread.LowerPriority(); // ingest and queries go first
        while (!_isStopping)
        {
            _queue.Wait(Nap);
            Turn();
            Volatile.Write(ref _cpuMicros, ThreadCpu.Micros());
        }

        Turn();
    }

    /// <summary>One look at everything that waits. Tests call it in place of the thread.</summary>
    internal void Turn()
    {
        List<DetectionRow> rows = _queue.Take(_empty, _events);
        long eventsThrough = 0;
        foreach (QueuedEvent happened in _events)
        {
            Guard(() => _core.Take(happened, _findings));
            eventsThrough = Math.Max(eventsThrough, happened.ReceivedUnixMs);
        }

        // Events first: they are few, certain and what people wait for.
        if (_events.Count > 0)
        {
            _events.Clear();
            Tell(eventsThrough);
        }

        for (int from = 0; from < rows.Count; from += Slice)
        {
            Look(rows, from, Math.Min(from + Slice, rows.Count));
        }

        rows.Clear();
        _empty = rows;
        Beat();
    }

    private void Look(List<DetectionRow> rows, int from, int to)
    {
        Follow(_queue.Fill());
        long nowMs = NowMs;
        Shedding shed = _shed;
        for (int at = from; at < to; at++)
        {
            TakeOne(rows[at], shed, nowMs);
        }

        Volatile.Write(ref _rows, _rows + (to - from));
        _queue.Return(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(rows)[from..to]);
        if (_findings.Count > 0)
        {
            Tell(0);
        }

        Beat();
    }

    // As Guard, without a closure for each row.
    private void TakeOne(DetectionRow row, Shedding shed, long nowMs)
    {
        try
        {
            _core.Take(row, shed, nowMs, _findings);
        }
#pragma warning disable CA1031 // Whatever it is.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private void Beat()
    {
        if (_time.GetElapsedTime(_tickedAt) < TickEvery)
        {
            return;
        }

        _tickedAt = _time.GetTimestamp();
        long nowMs = NowMs;
        Follow(_queue.Fill());
        if (_time.GetElapsedTime(_followedAt) >= FollowEvery)
        {
            _followedAt = _tickedAt;
            Guard(() => _core.Follow(JobMap.PlacesOf(_jobs()), nowMs, _findings));
        }

        Guard(() => _core.Tick(nowMs, _shed, _findings));
        Tell(0);
        Guard(() => _desk.Advance(nowMs));
        Volatile.Write(ref _samples, _core.Samples);
        Volatile.Write(ref _shedLanes, _core.ShedLaneSamples);
        Volatile.Write(ref _shedPeers, _core.ShedPeerLooks);
        Volatile.Write(ref _series, _core.Series);
        Volatile.Write(ref _unwatched, _core.Unwatched);
        Volatile.Write(ref _bytes, _core.Bytes);
    }

    private void Follow((double Share, TimeSpan Lag, int Rows) fill)
    {
        Shedding wanted = fill.Share >= PeersAt ? Shedding.Peers
            : fill.Share >= LanesAt || fill.Lag > LateAfter ? (Shedding)Math.Max((int)Shedding.Lanes, (int)_shed)
            : fill.Share <= EnoughAt ? Shedding.None
            : _shed;
        if (wanted == _shed)
        {
            return;
        }

        if (wanted > _shed)
        {
            _log.Behind(wanted.ToString().ToLowerInvariant(), (long)fill.Lag.TotalMilliseconds, fill.Rows);
        }
        else
        {
            _log.CaughtUp(_core.ShedLaneSamples, _core.ShedPeerLooks, _queue.ShedRows);
        }

        _shed = wanted;
    }

    private void Tell(long eventsThrough)
    {
        Volatile.Write(ref _found, _found + _findings.Count);
        long nowMs = NowMs;
        Guard(() => _desk.Offer(_findings, eventsThrough, nowMs));
        _findings.Clear();
    }

    // Detection is an onlooker: a bug in it must not end the process that takes samples in. It is logged with its trace, counted and shown.
    private void Guard(Action work)
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Whatever it is.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Fail(e);
        }
    }

    private void Fail(Exception exception)
    {
        Volatile.Write(ref _errors, _errors + 1);
        _log.Failed(_errors, exception);
    }

    // After a restart: rules go on from what they had said; of everything else nobody knows whether it still holds; events that came just
    // before a crash are looked at now.
    private void GoOn(EventLedger events)
    {
        IReadOnlyList<Finding> active = _desk.ActiveFindings();
        _core.Resume(active.Where(finding => finding.Kind == FindingKind.Rule && finding.Cause != "domain-down"));
        long nowMs = NowMs;
        _findings.AddRange(active.Where(finding => finding.Kind is FindingKind.FlatLine or FindingKind.Leak or FindingKind.Straggler or FindingKind.Residual || finding.Cause == "domain-down")
            .Select(finding => finding with { UnixMs = nowMs, Clears = true, Text = "the aggregator started anew" }));
        long from = Math.Max(_desk.EventsThroughMs, nowMs - CatchUpMs);
        if (_desk.EventsThroughMs > 0)
        {
            foreach (LedgerEntry entry in Enumerable.Reverse(events.Newest(int.MaxValue, entry => entry.ReceivedUnixMs > from)))
            {
                _core.Take(new QueuedEvent(entry.Node, entry.Event, entry.ReceivedUnixMs), _findings);
            }
        }

        Tell(nowMs);
    }
}
