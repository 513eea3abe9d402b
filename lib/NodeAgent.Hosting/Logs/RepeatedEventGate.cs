using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Logs;

/// <summary>
/// Keeps a failure that repeats from filling the log: the first is logged, the rest are counted, a summary follows at most once a
/// minute, and one line tells the end. A failure is an event name with a subject (a peer, a device, a file).
/// Safe from any thread; allocates only for a failure it has not seen.
/// </summary>
/// <example><code>
/// if (gate.IsFirst("UplinkConnectFailed", peer)) { log.UplinkConnectFailed(peer, error); }
/// ...
/// gate.Recovered("UplinkConnectFailed", peer);
/// </code></example>
/// <param name="logger">Where summaries and end lines go.</param>
/// <param name="time">Clock of the intervals.</param>
public sealed class RepeatedEventGate(ILogger logger, TimeProvider time)
{
    /// <summary>Least time between two lines about the same failure.</summary>
    public static readonly TimeSpan SummaryInterval = TimeSpan.FromMinutes(1);

    // A subject may come from outside (a peer's name), so the table is bounded. A failure that finds it full is logged as it is:
    // too many lines are better than none.
    private const int MaxFailures = 4096;

    private readonly Lock _gate = new();
    private readonly Dictionary<(string Event, string Subject), Failure> _failures = []; // under _gate

    /// <summary>Failures that have not recovered.</summary>
    public int Open
    {
        get
        {
            lock (_gate)
            {
                return _failures.Count;
            }
        }
    }

    /// <summary>Counts one failure. True for the first: the caller logs it. Later ones are summed up by the gate.</summary>
    public bool IsFirst(string eventName, string subject)
    {
        long now = time.GetTimestamp();
        long count;
        TimeSpan since;
        lock (_gate)
        {
            if (!_failures.TryGetValue((eventName, subject), out Failure? failure))
            {
                if (_failures.Count < MaxFailures)
                {
                    _failures.Add((eventName, subject), new Failure(now));
                }

                return true;
            }

            failure.Count++;
            failure.LastAt = now;
            since = time.GetElapsedTime(failure.ToldAt, now);
            if (since < SummaryInterval)
            {
                return false;
            }

            count = failure.Count - failure.ToldCount;
            failure.ToldAt = now;
            failure.ToldCount = failure.Count;
        }

        logger.EventRepeats(eventName, subject, count, since);
        return false;
    }

    /// <summary>Says that the failure is over, if it was on; a failure that happened only once ends in a line too. Cheap when it was not.</summary>
    public void Recovered(string eventName, string subject)
    {
        Failure? failure;
        lock (_gate)
        {
            if (_failures.Count == 0 || !_failures.Remove((eventName, subject), out failure))
            {
                return;
            }
        }

        TellEnd(eventName, subject, failure, time.GetTimestamp());
    }

    /// <summary>
    /// Ends the failures that have not happened for <paramref name="quiet"/>, for callers that see no recovery (a bad frame now and then).
    /// </summary>
    public void EndQuiet(TimeSpan quiet)
    {
        long now = time.GetTimestamp();
        List<KeyValuePair<(string Event, string Subject), Failure>>? over = null;
        lock (_gate)
        {
            foreach (KeyValuePair<(string Event, string Subject), Failure> failure in _failures)
            {
                if (time.GetElapsedTime(failure.Value.LastAt, now) >= quiet)
                {
                    (over ??= []).Add(failure);
                }
            }

            over?.ForEach(failure => _failures.Remove(failure.Key));
        }

        over?.ForEach(failure => TellEnd(failure.Key.Event, failure.Key.Subject, failure.Value, failure.Value.LastAt));
    }

    private void TellEnd(string eventName, string subject, Failure failure, long endedAt)
    {
        TimeSpan during = time.GetElapsedTime(failure.FirstAt, endedAt);
        logger.EventRepeatsEnded(eventName, subject, failure.Count, during);
    }

    private sealed class Failure(long now)
    {
        public readonly long FirstAt = now;
        public long LastAt = now;
        public long ToldAt = now;
        public long Count = 1;
        public long ToldCount = 1;
    }
}
