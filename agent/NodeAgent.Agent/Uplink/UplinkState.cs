namespace NodeAgent.Agent.Uplink;

/// <summary>Counters of the uplink. Written by its own thread, read by the self sampler; single words, so no lock.</summary>
internal sealed class UplinkState
{
    private long _throttledUntil;

    internal bool IsConnected { get; set; }

    internal long Connections { get; set; }

    internal long SentRecords { get; set; }

    internal long SentBytes { get; set; }

    internal long RejectedRecords { get; set; }

    /// <summary>Messages of a kind this version does not know.</summary>
    internal long UnknownMessages { get; set; }

    /// <summary>Milliseconds by which the host's clock is ahead of the aggregator's, by the last welcome; null: never connected.</summary>
    internal double? ClockAheadMs { get; private set; }

    /// <summary>How wrong <see cref="ClockAheadMs"/> can be: half the time that the welcome took.</summary>
    internal double ClockErrorMs { get; private set; }

    /// <summary>Timestamp of the clock until which nothing is sent; 0: never throttled.</summary>
    internal long ThrottledUntil
    {
        get => Volatile.Read(ref _throttledUntil);
        set => Volatile.Write(ref _throttledUntil, value);
    }

    /// <summary>
    /// Notes what a welcome says of the clocks: the aggregator read its own somewhere within the round trip, at best guess in its middle
    /// (RFC 5905, section 8, with one server time stamp for both).
    /// </summary>
    internal void MeasureClock(long aggregatorUnixMs, long hostUnixMs, TimeSpan roundTrip)
    {
        ClockErrorMs = roundTrip.TotalMilliseconds / 2;
        ClockAheadMs = hostUnixMs - ClockErrorMs - aggregatorUnixMs;
    }
}
