namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>A moment of a monotonic clock.</summary>
internal readonly struct Deadline(TimeProvider time, TimeSpan from)
{
    private readonly long _at = time.GetTimestamp() + (long)(from.TotalSeconds * time.TimestampFrequency);

    internal bool HasPassed => time.GetTimestamp() >= _at;

    /// <summary>Never below zero.</summary>
    internal TimeSpan Remaining
    {
        get
        {
            long now = time.GetTimestamp();
            return now >= _at ? TimeSpan.Zero : time.GetElapsedTime(now, _at);
        }
    }

    /// <summary>A moment so far from now, or this one where it comes first.</summary>
    internal Deadline Sooner(TimeSpan after) => Remaining < after ? this : new Deadline(time, after);
}
