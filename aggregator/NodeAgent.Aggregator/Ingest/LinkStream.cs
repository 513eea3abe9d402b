using Grpc.Core;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// One agent's stream as the aggregator sees it: bytes go in, answers come out. It owns no thread, no timer and no clock: who drives it
/// says what time it is, hands in what arrives, and sends what <see cref="TryNextAnswer"/> gives whenever something may be due: after a
/// message, after a commit while <see cref="WantsCommit"/>, and about once a second. Safe for two threads, one that takes and one that
/// answers.
/// </summary>
internal sealed class LinkStream
{
    /// <summary>
    /// A paced agent is acknowledged this often. An acknowledgement a frame wakes both sides once more a second, a quarter of the agent's
    /// whole cost; five seconds of frames are a few kilobytes of its spool, and half of what it takes for a stalled link.
    /// </summary>
    internal const long AcknowledgeEveryMs = 5_000;

    /// <summary>A backlog frees room on the agent's disk, and its pace may hang on it.</summary>
    internal const long AcknowledgeBacklogEveryMs = 500;

    // Frames come at whole seconds, give or take: the fifth one after the last acknowledgement must not just miss it.
    private const long SlackMs = 500;

    // Bounds what an agent in full flood has to keep; at 1 Hz it is never reached.
    private const int MostUnacknowledged = 256;

    // An agent that does not read is not told more; what matters is offered again on its next stream.
    private const int MostOffered = 1024;

    private readonly IngestCore _core;
    private readonly RecordIntake _records;
    private readonly Queue<AggregatorMessage> _answers = new();
    private ulong _carried; // highest sequence that came
    private ulong _durable; // of those, highest on the disk
    private ulong _acknowledged; // of those, highest that the agent was told
    private ulong _urgent; // up to here the agent should not have to wait for the next interval
    private int _unacknowledged; // records on the disk that the agent was not told of
    private long _acknowledgedAtMs;
    private long _throttledUntilMs;
    private long _heldByDiskUntilMs; // 0: the agent was not told of a failing disk
    private bool _isDraining; // the agent has closed its side
    private bool _isFinalTold; // and was told once more where it stands

    internal LinkStream(IngestCore core, NodeIntake intake, HeldRecords held, Hello hello, ulong id, Moment now)
    {
        _core = core;
        Intake = intake;
        Held = held;
        Hello = hello;
        Id = id;
        Lane = hello.Lane == Lane.Backlog ? Lane.Backlog : Lane.Live;
        Effects = new RecordEffects(intake, Lane, core, core.Counters);
        Clock = new FrameClock(hello, now, hasAgreed: hello.BootId.Length > 0 && intake.AgreedBoot == hello.BootId, core.Options, held);
        _records = new RecordIntake(this, Clock, core);
        _acknowledgedAtMs = now.MonotonicMs;
    }

    /// <summary>The log record that opened it.</summary>
    internal ulong Id { get; }

    internal Lane Lane { get; }

    internal Hello Hello { get; }

    internal NodeIntake Intake { get; }

    internal HeldRecords Held { get; }

    internal RecordEffects Effects { get; }

    internal FrameClock Clock { get; }

    /// <summary>How the stream must end: set when a newer one took its place, the agent broke the contract, or there is no room.</summary>
    internal Status? End { get; private set; }

    /// <summary>A newer stream of the agent has taken its place.</summary>
    internal bool IsDisplaced { get; private set; }

    /// <summary>Why the last message was refused.</summary>
    internal string Reason => End is { } end ? end.Detail : _records.Reason;

    /// <summary>Sequence of the last message; 0: it had none.</summary>
    internal ulong LastSequence => _records.LastSequence;

    /// <summary>An acknowledgement is wanted as soon as the disk has what it is for.</summary>
    internal bool WantsCommit
    {
        get
        {
            lock (Intake.Gate)
            {
                return _carried > _acknowledged
                    && (_urgent > _acknowledged || _isDraining || Lane == Lane.Backlog || Intake.PendingRecords >= MostUnacknowledged);
            }
        }
    }

    /// <summary>The agent has closed its side and has been told of everything it sent.</summary>
    internal bool IsSettled
    {
        get
        {
            lock (Intake.Gate)
            {
                return _isDraining && (_isFinalTold || _carried == 0) && _answers.Count == 0;
            }
        }
    }

    /// <summary>Takes one encoded <c>AgentMessage</c>. <see cref="End"/> is set afterwards when the stream must end.</summary>
    internal IntakeOutcome Take(ReadOnlySpan<byte> message, Moment now)
    {
        lock (Intake.Gate)
        {
            if (End is not null)
            {
                return IntakeOutcome.Broken;
            }

            if (!TryPay(message.Length, now))
            {
                return IntakeOutcome.NoRoom;
            }

            IntakeOutcome outcome = _records.Take(message, now);
            switch (outcome)
            {
                case IntakeOutcome.Broken:
                    End = new Status(StatusCode.InvalidArgument, _records.Reason);
                    break;
                case IntakeOutcome.NoRoom:
                    End = new Status(StatusCode.ResourceExhausted, _records.Reason);
                    break;
                case IntakeOutcome.Rejected:
                    Answer(new AggregatorMessage { Rejected = new Rejected { Sequence = LastSequence, Reason = Reason } });
                    break;
            }

            if (Clock.HasAgreed)
            {
                Intake.AgreedBoot = Hello.BootId;
            }

            return outcome;
        }
    }

    /// <summary>Something to tell the agent that is not about its records; sent with the next answers.</summary>
    internal void Offer(AggregatorMessage message)
    {
        lock (Intake.Gate)
        {
            if (_answers.Count < MostOffered)
            {
                Answer(message);
            }
        }
    }

    /// <summary>The agent will send nothing more and waits to hear how much of its spool is safe.</summary>
    internal void CompleteRequests()
    {
        lock (Intake.Gate)
        {
            _isDraining = true;
        }
    }

    /// <summary>The next thing to send; false: nothing is due now.</summary>
    internal bool TryNextAnswer(Moment now, out LinkAnswer answer)
    {
        lock (Intake.Gate)
        {
            Intake.Settle(_core.Wal.DurableId);
            answer = default;
            if (_answers.TryDequeue(out AggregatorMessage? message) || TryTellOfDisk(now, out message))
            {
                answer = new LinkAnswer(0, message);
                return true;
            }

            if (!IsAcknowledgementDue(now))
            {
                return false;
            }

            _isFinalTold = _isDraining && _durable == _carried;
            _acknowledged = _durable;
            _unacknowledged = 0;
            _acknowledgedAtMs = now.MonotonicMs;
            answer = new LinkAnswer(_acknowledged, null);
            return true;
        }
    }

    /// <summary>The stream is over. What it brought stays, and becomes durable with the rest.</summary>
    internal void Close()
    {
        lock (Intake.Gate)
        {
            End ??= new Status(StatusCode.Cancelled, "the stream is closed");
            Intake.Detach(this);
        }
    }

    /// <summary>A newer stream has its place; under the gate.</summary>
    internal void Displace()
    {
        IsDisplaced = true;
        End ??= new Status(StatusCode.AlreadyExists, $"node {Intake.Node.Name} has opened a newer stream; this one ends");
    }

    /// <summary>A record came; under the gate.</summary>
    internal void OnCarried(ulong sequence)
    {
        // The first record of a stream proves to the agent that the stream works; of an agent that samples rarely, every record does.
        bool isUrgent = _carried == 0 || !_records.LastWasFrame || Intake.Node.ShortestIntervalMs > AcknowledgeEveryMs / 2;
        _carried = Math.Max(_carried, sequence);
        _urgent = isUrgent ? _carried : _urgent;
    }

    /// <summary>A record is on the disk; under the gate.</summary>
    internal void OnDurable(ulong sequence)
    {
        _durable = Math.Max(_durable, sequence);
        _unacknowledged++;
    }

    private bool IsAcknowledgementDue(Moment now)
    {
        if (_durable <= _acknowledged)
        {
            return _isDraining && !_isFinalTold && _durable == _carried && _carried > 0;
        }

        long patience = Lane == Lane.Backlog ? AcknowledgeBacklogEveryMs : AcknowledgeEveryMs;
        return _isDraining
            || (_urgent > _acknowledged && _urgent <= _durable)
            || _unacknowledged >= MostUnacknowledged
            || now.MonotonicMs - _acknowledgedAtMs >= patience - SlackMs;
    }

    private bool TryPay(int bytes, Moment now)
    {
        long waitMs = Intake.Pay(bytes, now.MonotonicMs);
        if (waitMs < 0)
        {
            _core.Counters.AddOverQuota();
            End = new Status(StatusCode.ResourceExhausted, "more records or bytes than the quota allows, and on after a throttle");
            return false;
        }

        if (waitMs > 0 && now.MonotonicMs >= _throttledUntilMs)
        {
            long pause = _core.Jitter(waitMs);
            _throttledUntilMs = now.MonotonicMs + pause;
            _core.Counters.AddThrottle();
            Answer(Pause(pause, "more records or bytes than the quota allows"));
        }

        return true;
    }

    private bool TryTellOfDisk(Moment now, out AggregatorMessage? message)
    {
        message = null;
        if (_core.Wal.IsFailing && now.MonotonicMs >= _heldByDiskUntilMs)
        {
            long pause = _core.Jitter((long)_core.Options.RetryDelay.TotalMilliseconds);
            _heldByDiskUntilMs = now.MonotonicMs + pause;
            _core.Counters.AddThrottle();
            message = Pause(pause, "the aggregator's disk fails; it acknowledges nothing until that is over");
        }
        else if (!_core.Wal.IsFailing && _heldByDiskUntilMs > 0)
        {
            _heldByDiskUntilMs = 0;
            message = Pause(Math.Max(0, _throttledUntilMs - now.MonotonicMs), "the aggregator's disk works again");
        }

        return message is not null;
    }

    private void Answer(AggregatorMessage message) => _answers.Enqueue(message);

    private static AggregatorMessage Pause(long milliseconds, string reason) =>
        new() { Throttle = new Throttle { RetryAfterMs = (uint)Math.Min(milliseconds, int.MaxValue), Reason = reason } };
}
