using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>What a frame says of its time.</summary>
internal readonly record struct FrameStamp(long WallUnixMs, ulong MonotonicNs, ClockQuality Clock, uint Boot);

/// <summary>Where a frame's time comes from, or why it has none.</summary>
internal enum TimeVerdict
{
    /// <summary>The agent's own.</summary>
    Own = 0,

    /// <summary>The agent's wall clock was off; monotonic time says when it was.</summary>
    Rebased = 1,

    /// <summary>Refused: ahead of the aggregator's clock, and nothing says what it should be.</summary>
    TooNew = 2,

    /// <summary>Refused: older than what is kept.</summary>
    TooOld = 3,

    /// <summary>Refused: from before there were agents, and nothing says what it should be.</summary>
    Impossible = 4,
}

/// <param name="UnixMs">The time under which it is stored.</param>
/// <param name="Verdict">How that was found.</param>
internal readonly record struct FrameTime(long UnixMs, TimeVerdict Verdict)
{
    internal bool IsRefused => Verdict >= TimeVerdict.TooNew;
}

/// <summary>
/// Tells the true time of one stream's frames. A host's wall clock may start in 1970, stand still or jump; its monotonic clock does not,
/// and the hello says what the latter showed when it was sent. So every frame of the present boot has a second time that is right to within
/// the way to the aggregator, and the wall clock is believed only while the two agree. Frames keep their order: where the wall
/// clock goes back, they would otherwise fall upon the samples that are there already.
/// </summary>
internal sealed class FrameClock
{
    internal const string TooNew = "its time is too far ahead of the aggregator's clock";
    internal const string TooOld = "its time is older than what the store keeps";

    /// <summary>Further off than this is not drift but a wrong clock (reliability.md, C1 to C4).</summary>
    internal const long ToleranceMs = 5 * 60_000;

    /// <summary>2020-01-01: no agent made a frame before.</summary>
    internal const long EarliestUnixMs = 1_577_836_800_000;

    private readonly Hello _hello;
    private readonly Moment _opened;
    private readonly IngestOptions _options;
    private readonly HeldRecords? _held;
    private FrameStamp _last;
    private long _lastUnixMs;
    private bool _hasLast;

    /// <param name="hello">Of the stream.</param>
    /// <param name="opened">When it came.</param>
    /// <param name="hasAgreed">See <see cref="HasAgreed"/>.</param>
    /// <param name="options">What is refused.</param>
    /// <param name="held">Knows about earlier boots; null: nothing is known.</param>
    internal FrameClock(Hello hello, Moment opened, bool hasAgreed, IngestOptions options, HeldRecords? held = null)
    {
        _held = held;
        _hello = hello;
        _opened = opened;
        _options = options;
        HasAgreed = hasAgreed || IsNear(hello.WallUnixMs, opened.UnixMs);
    }

    /// <summary>
    /// In this boot the agent's clock has been near the aggregator's. Only then is a clock that is off now, and claims to be disciplined,
    /// known to be the one that moved; otherwise it may be the aggregator's that is wrong.
    /// </summary>
    internal bool HasAgreed { get; private set; }

    /// <summary>Decides the time of the next frame of the stream.</summary>
    internal FrameTime Resolve(in FrameStamp stamp, Moment now)
    {
        FrameTime time = Place(stamp, now);
        if (time.IsRefused)
        {
            return time;
        }

        _last = stamp;
        _lastUnixMs = time.UnixMs;
        _hasLast = true;
        return time;
    }

    private FrameTime Place(in FrameStamp stamp, Moment now)
    {
        long newest = now.UnixMs + _options.MaxAheadMs;
        long unixMs = stamp.WallUnixMs;
        if (TryTellByHello(stamp, out long told))
        {
            bool isNear = IsNear(unixMs, told);
            bool isPresentBoot = stamp.Boot == _hello.Boot;
            HasAgreed |= isNear && isPresentBoot;
            bool isSuspect = (HasAgreed && isPresentBoot) || stamp.Clock != ClockQuality.Synchronised || unixMs > newest || unixMs < EarliestUnixMs;
            unixMs = !isNear && isSuspect ? told : unixMs;
        }
        else if (IsAfterLast(stamp) && (unixMs > newest || unixMs < EarliestUnixMs))
        {
            unixMs = _lastUnixMs + SinceLastMs(stamp);
        }

        if (IsAfterLast(stamp) && unixMs <= _lastUnixMs)
        {
            unixMs = KeepOrder(stamp, unixMs);
        }

        TimeVerdict verdict = unixMs > newest ? TimeVerdict.TooNew
            : unixMs < EarliestUnixMs ? TimeVerdict.Impossible
            : unixMs < now.UnixMs - _options.RetentionMs ? TimeVerdict.TooOld
            : unixMs != stamp.WallUnixMs ? TimeVerdict.Rebased
            : TimeVerdict.Own;
        return new FrameTime(unixMs, verdict);
    }

    // A clock that stands still goes on by monotonic time. One that was set back a little is waited for at half speed, so that the two meet
    // again; one that was set back far is not.
    private long KeepOrder(in FrameStamp stamp, long unixMs)
    {
        long step = SinceLastMs(stamp);
        bool isCatchingUp = stamp.WallUnixMs > _last.WallUnixMs && _lastUnixMs - unixMs <= ToleranceMs;
        return _lastUnixMs + Math.Max(1, isCatchingUp ? step / 2 : step);
    }

    private bool TryTellByHello(in FrameStamp stamp, out long unixMs)
    {
        unixMs = 0;
        if (stamp.MonotonicNs == 0)
        {
            return false;
        }

        if (stamp.Boot == _hello.Boot && _hello.MonotonicNs > 0)
        {
            unixMs = _opened.UnixMs + ((long)(stamp.MonotonicNs - _hello.MonotonicNs) / 1_000_000);
            return true;
        }

        // A hello of that boot came on an earlier stream.
        bool isKnown = _held is not null && stamp.Boot != _hello.Boot && _held.Boots.TryGetValue(stamp.Boot, out unixMs);
        unixMs += isKnown ? (long)(stamp.MonotonicNs / 1_000_000) : 0;
        return isKnown;
    }

    private bool IsAfterLast(in FrameStamp stamp) => _hasLast && stamp.Boot == _last.Boot && stamp.MonotonicNs > _last.MonotonicNs && _last.MonotonicNs > 0;

    // No frame is further than its retention from the one before it; a monotonic clock that says so is not one.
    private long SinceLastMs(in FrameStamp stamp) => (long)Math.Min((stamp.MonotonicNs - _last.MonotonicNs) / 1_000_000, (ulong)_options.RetentionMs);

    // As unsigned numbers: the difference of two times of which one is nonsense can exceed a long.
    private static bool IsNear(long a, long b) => unchecked((ulong)Math.Max(a, b) - (ulong)Math.Min(a, b)) <= ToleranceMs;
}
