using Grpc.Core;
using NodeAgent.Agent.Commands;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>
/// One connection's life: a lane for fresh data, and beside it one for the backlog while there is one. Fresh data always goes first; the
/// backlog gets its pace. Knows no thread and no socket; <see cref="Step"/> does what can be done now.
/// </summary>
internal sealed class UplinkSession : IUplinkLaneOwner
{
    /// <summary>An aggregator that accepts a stream but does not answer within this is as good as away.</summary>
    internal static readonly TimeSpan WelcomeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A stream on which something sent stays unacknowledged for this long, without any word from the aggregator, is stuck. A dead network
    /// is noticed sooner, by the connection's pings; this is for an aggregator that answers pings and nothing else.
    /// </summary>
    internal static readonly TimeSpan ProgressTimeout = TimeSpan.FromSeconds(60);

    /// <summary>After an outage no longer than this many records, all of them go as fresh data; more makes a backlog.</summary>
    internal const ulong CatchUpRecords = 120;

    private static readonly TimeSpan BacklogBeat = TimeSpan.FromMilliseconds(250);

    private readonly ISpool _spool;
    private readonly SequenceSet _held = new(); // by the aggregator, as far as it has said on this connection
    private readonly ILink _link;
    private readonly BacklogPace _pace;
    private readonly UplinkContext _context;
    private readonly ICommandLane? _commands;
    private readonly UplinkLane _live;
    private UplinkLane? _backlog;
    private long _greetedAt;
    private long _liveHeardAt;
    private long _backlogHeardAt;
    private long _backlogPausedUntil;
    private long _livePausedUntil;
    private bool _isFinishing;

    internal UplinkSession(ISpool spool, ILink link, BacklogPace pace, UplinkContext context, ICommandLane? commands = null)
    {
        (_spool, _link, _pace, _context, _commands) = (spool, link, pace, context, commands);
        _live = new UplinkLane(Lane.Live, spool, _held, this);
        _greetedAt = Now;
        _liveHeardAt = Now;
        _live.Greet(link, Hello(spool));
    }

    /// <summary>A stream that ends in good order before this is no turn: an aggregator that does nothing else must not be asked again at once.</summary>
    internal static readonly TimeSpan ShortestTurn = TimeSpan.FromSeconds(5);

    /// <summary>The session is over because the stream's time was: it is to be begun again, with the identity as it then is.</summary>
    internal bool IsTurn { get; private set; }

    /// <summary>Null while the session goes on; then one sentence that says how it ended.</summary>
    internal string? Over { get; private set; }

    // The first record held here that the aggregator has not.
    private ulong OldestOwed => OldestOwedOf(_spool, _held);

    private long Now => _context.Time.GetTimestamp();

    /// <summary>Sends what may be sent and looks at the clock. Returns when to come again at the latest if nothing happens.</summary>
    internal TimeSpan Step()
    {
        if (_link.Problem.Length > 0)
        {
            Over = _link.Problem;
        }
        else if (_live.IsEnded)
        {
            Over = _isFinishing ? "everything is sent" : Describe(_live.End);
            IsTurn = !_isFinishing && _live.End.StatusCode == StatusCode.OK && Elapsed(_greetedAt) >= ShortestTurn;
        }
        else if (_live.IsOwed && Elapsed(_live.IsOpen ? _liveHeardAt : _greetedAt) >= Patience(_live))
        {
            Over = _live.IsOpen ? $"no acknowledgement for {ProgressTimeout.TotalSeconds:0} s" : $"no welcome within {WelcomeTimeout.TotalSeconds:0} s";
        }

        return Over is null ? Send() : TimeSpan.Zero;
    }

    /// <summary>
    /// Sends fresh records out of memory, where there is nothing else to do: for the thread that made them, in a turn between two of
    /// <see cref="Step"/>. Neither waits nor looks at a file. What a step is due for later does not come sooner by this but for the patience
    /// with an aggregator that had nothing to acknowledge; the connection's keep-alive brings the next step long before that ends.
    /// </summary>
    /// <returns>False: it is for <see cref="Step"/>.</returns>
    internal bool TrySendFresh()
    {
        bool isQuiet = Over is null && !_isFinishing && _backlog is null && _live.IsFresh && !HasBacklog && Until(_livePausedUntil) <= TimeSpan.Zero;
        if (!isQuiet || _link.Problem.Length > 0)
        {
            return false;
        }

        SendLive();
        return _link.Flush();
    }

    /// <summary>Nothing more will be spooled: sends what is left of the fresh data and says goodbye. The backlog stays in the spool.</summary>
    internal void Finish() => _isFinishing = true;

    void IUplinkLaneOwner.OnWelcome(UplinkLane lane, Welcome welcome)
    {
        Heard(lane);
        TakeHeld(lane, welcome);
        if (lane == _live)
        {
            ulong oldest = _spool.StartAfter(OldestOwed - 1);
            bool isShort = _spool.NextSequence - Math.Min(oldest, _spool.NextSequence) <= CatchUpRecords;
            lane.SendFrom(isShort ? oldest : _spool.LiveStart(), ulong.MaxValue);
            _context.State.MeasureClock(welcome.WallUnixMs, _context.WallUnixMs, _context.Time.GetElapsedTime(_greetedAt));
            _commands?.Welcomed();
            _context.Connected(welcome, _spool.NextSequence - Math.Min(oldest, _spool.NextSequence));
        }
        else
        {
            // The live lane brings nothing of what an earlier life left.
            ulong last = lane.Spool == _spool ? _live.Start - 1 : lane.Spool.NextSequence - 1;
            lane.SendFrom(lane.Spool.StartAfter(OldestOwedOf(lane.Spool, lane.Held) - 1), last);
        }
    }

    void IUplinkLaneOwner.OnSent(int bytes)
    {
        _context.State.SentBytes += bytes;
        _context.State.SentRecords++;
    }

    void IUplinkLaneOwner.OnAcknowledged(UplinkLane lane)
    {
        Heard(lane);
        _context.Progressed();
    }

    void IUplinkLaneOwner.OnOther(UplinkLane lane, AggregatorMessage message)
    {
        Heard(lane);
        if (lane == _live && _commands?.Take(message) == true)
        {
            return;
        }

        switch (message.BodyCase)
        {
            case AggregatorMessage.BodyOneofCase.Throttle:
                Pause(lane, TimeSpan.FromMilliseconds(message.Throttle.RetryAfterMs), message.Throttle.Reason);
                break;
            case AggregatorMessage.BodyOneofCase.Rejected:
                _context.State.RejectedRecords++;
                _context.Log.Rejected(_context.Peer, message.Rejected.Sequence, message.Rejected.Reason);
                break;
            default:
                // A newer aggregator may say things this agent does not know; they are not for it.
                _context.State.UnknownMessages++;
                break;
        }
    }

    private static TimeSpan Patience(UplinkLane lane) => lane.IsOpen ? ProgressTimeout : WelcomeTimeout;

    private static string Describe(Status end) =>
        end.StatusCode == StatusCode.OK ? "the aggregator closed the stream" : $"{end.StatusCode}: {end.Detail}";

    private TimeSpan Send()
    {
        TimeSpan idle = _live.IsOwed ? Patience(_live) - Elapsed(_live.IsOpen ? _liveHeardAt : _greetedAt) : Timeout.InfiniteTimeSpan;
        if (!_live.IsOpen)
        {
            return idle;
        }

        SendAnswers();
        if (Until(_livePausedUntil) is { Ticks: > 0 } pause)
        {
            return Sooner(idle, pause);
        }

        if (SendLive())
        {
            idle = Patience(_live);
        }

        if (_isFinishing && _live.IsDone)
        {
            _backlog = null;
            _live.Close();
            return idle;
        }

        return Sooner(idle, SendBacklog());
    }

    // Before fresh data, and also in a pause: they are few, and somebody waits for them.
    private void SendAnswers()
    {
        while (_commands is { HasAnswers: true } && _commands.TryPeek(out byte[] answer) && _live.TrySendAside(answer))
        {
            _commands.Sent();
        }
    }

    // True: from now on the aggregator owes an acknowledgement.
    private bool SendLive()
    {
        bool wasOwed = _live.IsOwed;
        if (_live.Send(int.MaxValue) == 0 || wasOwed)
        {
            return false;
        }

        _liveHeardAt = Now;
        return true;
    }

    private TimeSpan SendBacklog()
    {
        if (_backlog is { IsEnded: true } or { IsOwed: true } && (_backlog.IsEnded || Elapsed(_backlogHeardAt) >= Patience(_backlog)))
        {
            EndBacklog(_backlog);
        }

        if (Until(_backlogPausedUntil) is { Ticks: > 0 } pause)
        {
            return HasBacklog ? pause : Timeout.InfiniteTimeSpan;
        }

        if (_backlog is null)
        {
            if (!HasBacklog)
            {
                return Timeout.InfiniteTimeSpan;
            }

            _backlog = Inherited is { } inherited
                ? new UplinkLane(Lane.Backlog, inherited, new SequenceSet(), this)
                : new UplinkLane(Lane.Backlog, _spool, _held, this);
            _backlogHeardAt = Now;
            _backlog.Greet(_link, Hello(_backlog.Spool));
        }

        if (!_backlog.IsOpen)
        {
            return Patience(_backlog) - Elapsed(_backlogHeardAt);
        }

        bool wasOwed = _backlog.IsOwed;
        int sent = _backlog.Send(_pace.Allowed);
        _pace.Spend(sent);
        _backlogHeardAt = sent > 0 && !wasOwed ? Now : _backlogHeardAt;
        if (_backlog.IsDone)
        {
            _backlog.Close();
            return Patience(_backlog) - Elapsed(_backlogHeardAt);
        }

        return BacklogBeat;
    }

    // A lane of its own is worth it only for what the live lane does not bring.
    private bool HasBacklog => _backlog is not null || OldestOwed < _live.Start || Inherited is not null;

    private ISpool? Inherited => _spool.Inherited is { } inherited && inherited.FirstHeldSequence < inherited.NextSequence ? inherited : null;

    private static ulong OldestOwedOf(ISpool spool, SequenceSet held) => held.LastContiguousFrom(spool.FirstHeldSequence) + 1;

    private void EndBacklog(UplinkLane ended)
    {
        _backlog = null;
        if (ended.IsEnded && ended.End.StatusCode == StatusCode.OK && ended.AcknowledgedThrough >= ended.SentThrough)
        {
            _context.Log.BacklogSent(_context.Peer);
            return;
        }

        string why = ended.IsEnded ? Describe(ended.End) : "no word from the aggregator";
        _backlogPausedUntil = Now + Stamp(_context.BacklogFailed(why));
        if (!ended.IsEnded)
        {
            ended.Abandon(StatusCode.DeadlineExceeded, why);
        }
    }

    private void Pause(UplinkLane lane, TimeSpan pause, string reason)
    {
        long until = Now + Stamp(pause);
        _backlogPausedUntil = until; // a backlog never goes while fresh data must wait
        if (lane == _live)
        {
            _livePausedUntil = until;
            _liveHeardAt = until; // a pause that was asked for is no silence
        }

        _context.State.ThrottledUntil = until;
        _context.Log.Throttled(_context.Peer, pause, reason);
    }

    private static void TakeHeld(UplinkLane lane, Welcome welcome)
    {
        TakeHeld(lane, 1, welcome.AcknowledgedSequence);
        foreach (V1.SequenceRange range in welcome.Held)
        {
            TakeHeld(lane, Math.Max(1, range.First), range.Last);
        }
    }

    // What was never spooled cannot be held: an aggregator that says so would make us free what is still to come.
    private static void TakeHeld(UplinkLane lane, ulong first, ulong last)
    {
        last = Math.Min(last, lane.Spool.NextSequence - 1);
        if (first <= last)
        {
            lane.Held.Add(first, last);
            lane.Spool.Acknowledge(first, last);
        }
    }

    private Hello Hello(ISpool spool) => new()
    {
        AgentVersion = _context.Identity.AgentVersion,
        BootId = _context.Identity.BootId,
        SpoolEpoch = spool.Epoch,
        FirstHeldSequence = spool.FirstHeldSequence,
        DroppedRecords = spool.Counts.DroppedRecords,
        ThinnedRecords = spool.Counts.ThinnedRecords,
        Boot = spool.Boot,
        WallUnixMs = _context.WallUnixMs,
        MonotonicNs = _context.MonotonicNs,
    };

    private void Heard(UplinkLane lane)
    {
        if (lane == _live)
        {
            _liveHeardAt = Now;
        }
        else
        {
            _backlogHeardAt = Now;
        }
    }

    private TimeSpan Elapsed(long since) => _context.Time.GetElapsedTime(since);

    private TimeSpan Until(long timestamp) => timestamp == 0 ? TimeSpan.Zero : -Elapsed(timestamp);

    private long Stamp(TimeSpan span) => (long)(span.TotalSeconds * _context.Time.TimestampFrequency);

    private static TimeSpan Sooner(TimeSpan a, TimeSpan b) =>
        a == Timeout.InfiniteTimeSpan ? b : b == Timeout.InfiniteTimeSpan || a < b ? a : b;
}
