namespace NodeAgent.Agent.Uplink;

/// <summary>
/// How fast a backlog may go beside fresh data: a token bucket of one second's worth. Ten thousand agents that come back after an outage
/// then ask for a known multiple of the usual load, however long they were away.
/// </summary>
/// <param name="recordsPerSecond">Greater than 0.</param>
/// <param name="time">Only its timestamps are used.</param>
internal sealed class BacklogPace(double recordsPerSecond, TimeProvider time)
{
    private readonly double _burst = Math.Max(1, recordsPerSecond);
    private double _records;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Records that may go now.</summary>
    internal int Allowed
    {
        get
        {
            long now = time.GetTimestamp();
            _records = Math.Min(_burst, _records + (recordsPerSecond * time.GetElapsedTime(_filledAt, now).TotalSeconds));
            _filledAt = now;
            return (int)_records;
        }
    }

    /// <summary>So many went.</summary>
    internal void Spend(int records) => _records -= records;
}
