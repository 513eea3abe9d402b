namespace NodeAgent.Sampling.Scheduling;

/// <summary>
/// The heart beat of an agent: at each beat runs the samplers that are due and hands their tables to the sink as one tick.
/// It does not wait: <see cref="Beat"/> says how long to, so that <see cref="TickThread"/> can wait cheaply on a real clock and a
/// simulation can drive any number of agents on one thread. Not thread-safe.
/// </summary>
public sealed class TickLoop
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    // A wait that ends a little early must still serve its beat, or it would wake twice for each.
    private const long EarlyToleranceNs = NanosecondsPerMillisecond / 2;

    private readonly SamplerRunner[] _runners;
    private readonly long[] _intervalsMs;
    private readonly SampledTable[] _tables;
    private readonly ITickSink _sink;
    private readonly TimeProvider _time;
    private readonly long _phaseMs;
    private readonly double _nsPerTimestamp;
    private long _nextBeatUnixMs;
    private long _nextBeatNs;
    private bool _isStarted;

    /// <param name="runners">In the order they run; names are unique. A sampler that reports on the others goes last.</param>
    /// <param name="sink">Takes the finished ticks.</param>
    /// <param name="time">
    /// Wall clock and monotonic clock. For SampleTime.MonotonicNs to count from boot: <see cref="Linux.BootTimeProvider"/>.
    /// </param>
    /// <param name="phase">
    /// Constant distance of this agent's beats from whole multiples of the interval; see <see cref="TickSchedule.PhaseOf"/>.
    /// </param>
    /// <param name="statistics">Where to count; null: an own one.</param>
    /// <exception cref="ArgumentException">No runner, or a name twice.</exception>
    public TickLoop(
        IReadOnlyList<SamplerRunner> runners,
        ITickSink sink,
        TimeProvider time,
        TimeSpan phase = default,
        TickStatistics? statistics = null)
    {
        if (runners.Count == 0 || runners.Select(runner => runner.Name).Distinct(StringComparer.Ordinal).Count() != runners.Count)
        {
            throw new ArgumentException("There must be a runner, and no two with the same name.", nameof(runners));
        }

        _runners = [.. runners];
        _intervalsMs = [.. runners.Select(runner => (long)runner.Interval.TotalMilliseconds)];
        _tables = new SampledTable[runners.Count];
        _sink = sink;
        _time = time;
        _phaseMs = (long)phase.TotalMilliseconds;
        _nsPerTimestamp = 1e9 / time.TimestampFrequency;
        Statistics = statistics ?? new TickStatistics();
    }

    public TickStatistics Statistics { get; }

    /// <summary>
    /// Runs the tick if its beat has come. Returns how long to wait until the next beat; call again after that. Calling early
    /// does nothing but return the rest of the wait. The first call only finds the first beat.
    /// </summary>
    public TimeSpan Beat()
    {
        long nowNs = NowNs();
        if (!_isStarted)
        {
            _isStarted = true;
            PlanNextBeat(nowNs);
        }
        else if (nowNs >= _nextBeatNs - EarlyToleranceNs)
        {
            Tick(nowNs);
            PlanNextBeat(NowNs());
        }

        long waitNs = _nextBeatNs - NowNs();
        return waitNs <= 0 ? TimeSpan.Zero : new TimeSpan((waitNs + 99) / 100);
    }

    private void Tick(long nowNs)
    {
        Statistics.Lateness = new TimeSpan(Math.Max(0, nowNs - _nextBeatNs) / 100);
        Statistics.MaxLateness = Statistics.Lateness > Statistics.MaxLateness ? Statistics.Lateness : Statistics.MaxLateness;
        SampleTime now = new(WallUnixMs(), nowNs);
        int count = 0;
        for (int i = 0; i < _runners.Length; i++)
        {
            // All at the first tick, whatever their beat: what a host is should not take a minute to be seen, and whatever is made once
            // (columns, threads, a schema) is then made before the steady state, which allocates nothing.
            SamplerRunner runner = _runners[i];
            if (runner.Calls > 0 && !TickSchedule.IsDue(_nextBeatUnixMs, _intervalsMs[i], _phaseMs))
            {
                continue;
            }

            CountMissed(runner, _intervalsMs[i]);
            SampleStatus status = runner.Run(now);
            _tables[count++] = new SampledTable(runner.Name, runner.Series, runner.Interval, status);
        }

        Statistics.Ticks++;
        HandOver(now, count);
        Statistics.LastDuration = new TimeSpan((NowNs() - nowNs) / 100);
    }

    private void CountMissed(SamplerRunner runner, long intervalMs)
    {
        if (runner.LastTargetNs != long.MinValue)
        {
            Statistics.SkippedBeats += TickSchedule.MissedBeats(_nextBeatNs - runner.LastTargetNs, intervalMs);
        }

        runner.LastTargetNs = _nextBeatNs;
    }

    private void HandOver(in SampleTime now, int count)
    {
        try
        {
            _sink.OnTick(now, _tables.AsSpan(0, count));
        }
        catch (Exception e) // counted and kept; an agent that stops sampling because its uplink has a bug would be blind as well as mute
        {
            Statistics.SinkFailures++;
            LastSinkError = e;
        }
    }

    /// <summary>How long from now until the beat after the next one. Of no use before the first <see cref="Beat"/>.</summary>
    internal TimeSpan UntilSecondBeat()
    {
        long second = NextBeatAfter(_nextBeatUnixMs);
        return new TimeSpan((_nextBeatNs + ((second - _nextBeatUnixMs) * NanosecondsPerMillisecond) - NowNs()) / 100);
    }

    /// <summary>The loop's monotonic clock. From any thread.</summary>
    internal TimeSpan Now => new(NowNs() / 100);

    /// <summary>What the sink threw last; null: never anything.</summary>
    public Exception? LastSinkError { get; private set; }

    // The grid is the wall clock's and the wait the monotonic clock's: a clock that is set moves the next beat by less than an
    // interval and can neither hold up the loop nor make it burst.
    private void PlanNextBeat(long nowNs)
    {
        long nowUnixTicks = _time.GetUtcNow().UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        long nowUnixMs = FloorDivide(nowUnixTicks, TimeSpan.TicksPerMillisecond);

        // A tick that ran a little before its beat must not be given the same beat again.
        long afterUnixMs = _nextBeatUnixMs > nowUnixMs && _nextBeatUnixMs - nowUnixMs <= 1 ? _nextBeatUnixMs : nowUnixMs;
        _nextBeatUnixMs = NextBeatAfter(afterUnixMs);
        _nextBeatNs = nowNs + (((_nextBeatUnixMs * TimeSpan.TicksPerMillisecond) - nowUnixTicks) * 100);
    }

    private long NextBeatAfter(long unixMs)
    {
        long next = long.MaxValue;
        foreach (long intervalMs in _intervalsMs)
        {
            next = Math.Min(next, TickSchedule.NextBeat(unixMs, intervalMs, _phaseMs));
        }

        return next;
    }

    private static long FloorDivide(long value, long divisor) => value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor);

    private long WallUnixMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private long NowNs() => (long)(_time.GetTimestamp() * _nsPerTimestamp);
}
