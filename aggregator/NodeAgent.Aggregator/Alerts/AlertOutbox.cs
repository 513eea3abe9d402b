using Microsoft.Extensions.Logging;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>Takes notices to one receiver.</summary>
internal interface IAlertReceiver
{
    /// <summary>Name in logs and metrics.</summary>
    string Name { get; }

    /// <summary>Wants all that last again and again, because it forgets; otherwise only what changes.</summary>
    bool WantsRepeats { get; }

    /// <summary>Hands over; null: taken, otherwise one sentence why not. Throws only for cancellation.</summary>
    Task<string?> SendAsync(IReadOnlyList<Notice> notices, CancellationToken cancellation);
}

/// <summary>
/// What one receiver has not taken yet. It holds at most one notice an alert, the newest, so that a receiver that was away for a day is told
/// how things are and not how they were. Bounded; what finds no room is counted. Sent again with full jitter until taken.
/// </summary>
internal sealed class AlertOutbox(IAlertReceiver receiver, TimeProvider time, Random random, ILogger log) : IDisposable
{
    internal const int MaxPending = 10_000;
    private const int MostAtOnce = 200;

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Notice> _pending = []; // under _gate
    private readonly SemaphoreSlim _wake = new(0, 1);
    private long _sent;
    private long _failures;
    private long _dropped;
    private int _failuresInARow;

    internal IAlertReceiver Receiver => receiver;

    /// <summary>Notices that it took.</summary>
    internal long Sent => Interlocked.Read(ref _sent);

    /// <summary>Requests that failed.</summary>
    internal long Failures => Interlocked.Read(ref _failures);

    /// <summary>Notices that found no room.</summary>
    internal long Dropped => Interlocked.Read(ref _dropped);

    internal int Pending
    {
        get
        {
            lock (_gate)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>After <see cref="RunAsync"/> has ended.</summary>
    public void Dispose() => _wake.Dispose();

    internal void Add(IEnumerable<Notice> notices)
    {
        lock (_gate)
        {
            foreach (Notice notice in notices)
            {
                if (_pending.Count < MaxPending || _pending.ContainsKey(notice.Alert.Key))
                {
                    _pending[notice.Alert.Key] = notice;
                }
                else
                {
                    Interlocked.Increment(ref _dropped);
                }
            }
        }

        if (_wake.CurrentCount == 0)
        {
            try
            {
                _wake.Release();
            }
            catch (SemaphoreFullException)
            {
                return; // another caller woke it at the same moment
            }
        }
    }

    /// <summary>Sends until cancelled.</summary>
    internal async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (!await SendOnceAsync(stopping).ConfigureAwait(false))
            {
                await Task.Delay(NextWait(), time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            else if (Pending == 0)
            {
                await ((Task)_wake.WaitAsync(stopping)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Sends one request with what there is; false: it was not taken, and is still here.</summary>
    internal async Task<bool> SendOnceAsync(CancellationToken cancellation)
    {
        Notice[] batch;
        lock (_gate)
        {
            batch = [.. _pending.Values.Take(MostAtOnce)];
        }

        if (batch.Length == 0)
        {
            return true;
        }

        string? refusal = await TrySendAsync(batch, cancellation).ConfigureAwait(false);
        if (refusal is not null)
        {
            Interlocked.Increment(ref _failures);
            if (_failuresInARow++ == 0 && !cancellation.IsCancellationRequested)
            {
                log.AlertsNotTaken(receiver.Name, refusal);
            }

            return false;
        }

        if (_failuresInARow > 0)
        {
            log.AlertsTakenAgain(receiver.Name, _failuresInARow);
            _failuresInARow = 0;
        }

        Interlocked.Add(ref _sent, batch.Length);
        lock (_gate)
        {
            foreach (Notice notice in batch)
            {
                // Replaced while it was on its way: the newer one has still to go.
                if (_pending.TryGetValue(notice.Alert.Key, out Notice? now) && ReferenceEquals(now, notice))
                {
                    _pending.Remove(notice.Alert.Key);
                }
            }
        }

        return true;
    }

    private async Task<string?> TrySendAsync(Notice[] batch, CancellationToken cancellation)
    {
        try
        {
            return await receiver.SendAsync(batch, cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return "stopping";
        }
    }

    private TimeSpan NextWait()
    {
        double ceiling = Math.Min(LongestWait.TotalSeconds, FirstWait.TotalSeconds * Math.Pow(2, Math.Min(_failuresInARow - 1, 10)));
        lock (_gate)
        {
#pragma warning disable CA5394 // Not for secrets: it spreads retries.
            return TimeSpan.FromSeconds(Math.Max(0.1, random.NextDouble() * ceiling));
#pragma warning restore CA5394
        }
    }
}
