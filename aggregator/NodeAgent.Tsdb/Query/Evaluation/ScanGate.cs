namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>
/// The turns at scanning: so many queries read and compute at once, whoever else has one waits in a queue, and who has scanned for a slice
/// while others wait goes to its end. However many queries of death there are, they take no more processors than that.
/// </summary>
internal sealed class ScanGate(int slots)
{
    private readonly Lock _gate = new();
    private readonly Queue<Turn> _waiting = new();
    private int _scanning;
    private int _waitingCount;

    /// <summary>Queries that scan now, and the most there ever were at once.</summary>
    public (int Now, int Most) Scanning { get; private set; }

    /// <summary>Turns given since the beginning.</summary>
    public long Turns { get; private set; }

    /// <summary>Whether somebody waits for a turn. A glance, no lock.</summary>
    public bool HasWaiting => Volatile.Read(ref _waitingCount) > 0;

    /// <summary>Waits for a turn.</summary>
    /// <exception cref="OperationCanceledException">The caller is gone; it has no turn.</exception>
    public void Enter(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Turn turn;
        lock (_gate)
        {
            if (_scanning < slots && _waiting.Count == 0)
            {
                TakeNeedsLock();
                return;
            }

            turn = new Turn();
            _waiting.Enqueue(turn);
            Volatile.Write(ref _waitingCount, _waiting.Count);
        }

        Wait(turn, cancellation);
    }

    /// <summary>Ends a turn.</summary>
    public void Leave()
    {
        lock (_gate)
        {
            _scanning--;
            Scanning = (_scanning, Scanning.Most);
            while (_scanning < slots && _waiting.TryDequeue(out Turn? next))
            {
                if (next.TryGive())
                {
                    TakeNeedsLock();
                }
            }

            Volatile.Write(ref _waitingCount, _waiting.Count);
        }
    }

    private void TakeNeedsLock()
    {
        _scanning++;
        Turns++;
        Scanning = (_scanning, Math.Max(Scanning.Most, _scanning));
    }

    private void Wait(Turn turn, CancellationToken cancellation)
    {
        try
        {
            turn.Wait(cancellation);
        }
        catch (OperationCanceledException)
        {
            // Either it was given first, and goes back, or it will be passed over.
            if (!turn.TryGiveUp())
            {
                Leave();
            }

            throw;
        }
    }

    private sealed class Turn
    {
        private readonly TaskCompletionSource _given = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _state; // 0 waiting, 1 given, 2 given up

        public bool TryGive()
        {
            if (Interlocked.CompareExchange(ref _state, 1, 0) != 0)
            {
                return false;
            }

            _given.SetResult();
            return true;
        }

        public bool TryGiveUp() => Interlocked.CompareExchange(ref _state, 2, 0) == 0;

        public void Wait(CancellationToken cancellation) => _given.Task.Wait(cancellation);
    }
}
