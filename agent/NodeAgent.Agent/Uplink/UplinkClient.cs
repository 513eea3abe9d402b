using NodeAgent.Agent.Commands;
using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Uplink;

/// <summary>
/// Keeps a connection to the aggregator: dials, lets one <see cref="UplinkSession"/> after the other hand over what the spool holds, and
/// after any failure starts again with full jitter. One thread calls <see cref="Step"/> and <see cref="Wait"/> in turn; simulation calls
/// only the first. While it waits, <see cref="SendFresh"/> lets the thread that made a record send it, which saves a wake-up.
/// </summary>
internal sealed class UplinkClient(ISpool spool, ILinkDialer dialer, UplinkContext context, BacklogPace pace, ICommandLane? commands = null) : IDisposable
{
    // Waits are in milliseconds of 31 bits, pauses can be longer; to look once an hour is free.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly Lock _turn = new(); // whoever has it may use the session and its link
    private volatile ILink? _link;
    private UplinkSession? _session;
    private long _dialAt = long.MinValue;
    private readonly CancellationTokenSource _finishing = new();
    private volatile bool _isAbandoned;

    internal UplinkState State => context.State;

    /// <summary>After <see cref="Finish"/> or <see cref="Abandon"/>: there is nothing more to do.</summary>
    internal bool IsFinished { get; private set; }

    /// <summary>Does what can be done now. Returns how long nothing needs to be done if nothing happens.</summary>
    internal TimeSpan Step()
    {
        lock (_turn)
        {
            return StepNeedsTurn();
        }
    }

    private TimeSpan StepNeedsTurn()
    {
        if (_session is null && !TryDial(out TimeSpan wait))
        {
            return wait;
        }

        if (_isAbandoned)
        {
            Hangup();
            IsFinished = true;
            return Timeout.InfiniteTimeSpan;
        }

        if (_finishing.IsCancellationRequested)
        {
            _session!.Finish();
        }

        TimeSpan idle = _session!.Step();
        if (_session.Over is not { } reason)
        {
            return idle;
        }

        bool isTurn = _session.IsTurn;
        Hangup();
        if (_finishing.IsCancellationRequested)
        {
            context.State.IsConnected = false;
            IsFinished = true;
            return Timeout.InfiniteTimeSpan;
        }

        return RetryIn(isTurn ? context.Turned() : context.Lost(reason));
    }

    /// <summary>Waits for the network, a <see cref="Wake"/>, or the time to pass, and takes what has arrived.</summary>
    internal void Wait(TimeSpan atMost)
    {
        atMost = atMost == Timeout.InfiniteTimeSpan || atMost < LongestWait ? atMost : LongestWait;
        if (_link is { } link)
        {
            lock (_turn)
            {
                link.Wait(atMost, _turn);
            }
        }
        else
        {
            dialer.Wait(atMost);
        }
    }

    /// <summary>
    /// The spool has something to send. From any thread that may wait for a file: sends it here and now where that is simple, else wakes
    /// the client's own.
    /// </summary>
    internal void SendFresh()
    {
        if (_link is null || !_turn.TryEnter())
        {
            Wake();
            return;
        }

        bool isSent;
        try
        {
            isSent = _session?.TrySendFresh() ?? false;
        }
        finally
        {
            _turn.Exit();
        }

        if (!isSent)
        {
            Wake();
        }
    }

    /// <summary>The spool has something to send. From any thread; costs nothing while there is no connection.</summary>
    internal void Wake()
    {
        if (_link is not null)
        {
            dialer.Wake();
        }
    }

    /// <summary>An orderly end: sends what is left of the fresh data and says goodbye. Nothing may be spooled afterwards.</summary>
    internal void Finish()
    {
        _finishing.Cancel();
        dialer.Wake();
    }

    /// <summary>Ends at the next opportunity, with what is left unsent; the spool is not touched any more. After <see cref="Finish"/>.</summary>
    internal void Abandon()
    {
        _isAbandoned = true;
        dialer.Wake();
    }

    public void Dispose()
    {
        Hangup();
        _finishing.Dispose();
    }

    private bool TryDial(out TimeSpan wait)
    {
        wait = Timeout.InfiniteTimeSpan;
        if (_finishing.IsCancellationRequested)
        {
            IsFinished = true;
            return false;
        }

        long now = context.Time.GetTimestamp();
        if (now < _dialAt)
        {
            wait = context.Time.GetElapsedTime(now, _dialAt);
            return false;
        }

        if (dialer.TryDial(_finishing.Token, out string problem) is not { } link)
        {
            wait = RetryIn(context.Lost(problem));
            return false;
        }

        if (_isAbandoned)
        {
            link.Dispose();
            IsFinished = true;
            return false;
        }

        _link = link;
        _session = new UplinkSession(spool, link, pace, context, commands);
        return true;
    }

    private TimeSpan RetryIn(TimeSpan delay)
    {
        _dialAt = context.Time.GetTimestamp() + (long)(delay.TotalSeconds * context.Time.TimestampFrequency);
        return delay;
    }

    private void Hangup()
    {
        _session = null;
        _link?.Dispose();
        _link = null;
    }
}
