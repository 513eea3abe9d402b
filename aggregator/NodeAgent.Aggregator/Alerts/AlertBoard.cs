namespace NodeAgent.Aggregator.Alerts;

/// <summary>
/// Turns what sources say is wrong now into beginnings and ends. Pure: moments come from outside. One thread; <see cref="Firing"/> may be
/// read by any.
/// </summary>
/// <param name="maxAlerts">At most so many at once; more are left out and counted, so that a fleet on fire cannot take the memory.</param>
internal sealed class AlertBoard(int maxAlerts)
{
    private readonly Dictionary<string, Notice> _firing = [];
    private int _count;
    private long _leftOut;

    /// <summary>Alerts that last.</summary>
    internal int Firing => Volatile.Read(ref _count);

    /// <summary>Times that an alert found no room.</summary>
    internal long LeftOut => Interlocked.Read(ref _leftOut);

    /// <summary>All that last, for receivers that want to be told again.</summary>
    internal IReadOnlyCollection<Notice> Lasting => _firing.Values;

    /// <summary>What began and what ended since the last look, the ends first.</summary>
    internal List<Notice> Look(IEnumerable<Alert> active, long nowUnixMs)
    {
        List<Notice> changes = [];
        HashSet<string> seen = [];
        foreach (Alert alert in active)
        {
            if (!seen.Add(alert.Key))
            {
                continue;
            }

            if (_firing.TryGetValue(alert.Key, out Notice? known))
            {
                _firing[alert.Key] = known with { Alert = alert };
                if (known.Alert.Severity != alert.Severity)
                {
                    changes.Add(_firing[alert.Key]);
                }
            }
            else if (_firing.Count < maxAlerts)
            {
                Notice notice = new(alert, alert.SinceUnixMs > 0 ? Math.Min(alert.SinceUnixMs, nowUnixMs) : nowUnixMs, null);
                _firing.Add(alert.Key, notice);
                changes.Add(notice);
            }
            else
            {
                Interlocked.Increment(ref _leftOut);
            }
        }

        Notice[] over = [.. _firing.Where(pair => !seen.Contains(pair.Key)).Select(pair => pair.Value with { EndedAtUnixMs = nowUnixMs })];
        foreach (Notice notice in over)
        {
            _firing.Remove(notice.Alert.Key);
        }

        Volatile.Write(ref _count, _firing.Count);
        changes.InsertRange(0, over);
        return changes;
    }
}
