using NodeAgent.Contracts.Metrics;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Clock;

/// <summary>How well the clock is kept: adjtimex(2), with node_exporter's names and scales.</summary>
internal sealed class TimexSampler : ISampler
{
    private const double Microseconds = 1e6;
    private const double Nanoseconds = 1e9;

    // Frequencies are parts per million with a 16-bit fraction (adjtimex(2)).
    private const double ScaledPpm = 1e6 * 65536;

    private readonly ITimexSource _source;
    private readonly int _first;

    public TimexSampler(ITimexSource source)
    {
        _source = source;
        _first = Series.Add(ClockMetrics.OffsetSeconds);
        foreach (MetricDefinition metric in Others)
        {
            Series.Add(metric);
        }
    }

    // In the order Sample sets them.
    private static MetricDefinition[] Others { get; } =
    [
        ClockMetrics.FrequencyAdjustmentRatio, ClockMetrics.MaxErrorSeconds, ClockMetrics.EstimatedErrorSeconds, ClockMetrics.Status,
        ClockMetrics.SyncStatus, ClockMetrics.LoopTimeConstant, ClockMetrics.TickSeconds, ClockMetrics.TaiOffsetSeconds,
        ClockMetrics.PpsFrequencyHertz, ClockMetrics.PpsJitterSeconds, ClockMetrics.PpsShiftSeconds, ClockMetrics.PpsStabilityHertz,
        ClockMetrics.PpsJitterTotal, ClockMetrics.PpsCalibrationTotal, ClockMetrics.PpsErrorTotal, ClockMetrics.PpsStabilityExceededTotal,
    ];

    public string Name => "timex";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (!_source.TryRead(out TimexReading reading, out int state))
        {
            return SampleStatus.Failed; // a seccomp filter: the only way to be refused
        }

        double fraction = (reading.Status & TimexReading.StatusNanoseconds) != 0 ? Nanoseconds : Microseconds;
        int column = _first;
        Series.Set(column++, reading.Offset / fraction);
        Series.Set(column++, 1 + (reading.Frequency / ScaledPpm));
        Series.Set(column++, reading.MaxErrorMicroseconds / Microseconds);
        Series.Set(column++, reading.EstimatedErrorMicroseconds / Microseconds);
        Series.Set(column++, reading.Status);
        Series.Set(column++, state == TimexReading.StateError ? 0 : 1);
        Series.Set(column++, reading.TimeConstant);
        Series.Set(column++, reading.TickMicroseconds / Microseconds);
        Series.Set(column++, reading.TaiSeconds);
        Series.Set(column++, reading.PpsFrequency / ScaledPpm);
        Series.Set(column++, reading.PpsJitter / fraction);
        Series.Set(column++, reading.PpsShift);
        Series.Set(column++, reading.PpsStability / ScaledPpm);
        Series.Set(column++, reading.PpsJitterCount);
        Series.Set(column++, reading.PpsCalibrationCount);
        Series.Set(column++, reading.PpsErrorCount);
        Series.Set(column, reading.PpsStabilityCount);
        return SampleStatus.Ok;
    }
}
