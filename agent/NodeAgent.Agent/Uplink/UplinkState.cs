namespace NodeAgent.Agent.Uplink;

/// <summary>Counters of the uplink. Written by its own tasks, read by the self sampler; single words, so no lock.</summary>
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

    internal ulong AcknowledgedSequence { get; set; }

    /// <summary>Timestamp of the clock until which nothing is sent; 0: never throttled.</summary>
    internal long ThrottledUntil
    {
        get => Volatile.Read(ref _throttledUntil);
        set => Volatile.Write(ref _throttledUntil, value);
    }
}
