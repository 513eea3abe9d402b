using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Events;
using NodeAgent.Agent.Frames;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Host;

/// <summary>
/// The end of a tick: events and a changed inventory first, then one frame, all appended to the spool on the tick's thread, so
/// that sequence is the order of time.
/// </summary>
internal sealed class TickSpooler(FrameBuilder frames, HostEventSpooler events, ILogger log) : ITickSink
{
    private readonly ClockQualityTracker _clock = new();

    public void OnTick(in SampleTime now, ReadOnlySpan<SampledTable> tables)
    {
        try
        {
            ClockQuality quality = _clock.Observe(now);
            events.Drain(now, quality, _clock.LastStepMs);
            frames.Begin(now.WallUnixMs, (ulong)now.MonotonicNs, (uint)quality);
            foreach (ref readonly SampledTable table in tables)
            {
                frames.Add(table.Sampler, (uint)table.Interval.TotalMilliseconds, table.Series);
            }

            frames.End();
        }
        catch (Exception e)
        {
            log.TickLost(e);
            throw;
        }
    }
}
