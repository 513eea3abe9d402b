using Google.Protobuf;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Clock;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Inventory;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.V1;
using ClockQuality = NodeAgent.Sampling.Clock.ClockQuality;

namespace NodeAgent.Agent.Events;

/// <summary>
/// Puts events and the inventory into the spool as records of their own. Drains its sources once a tick; a tick without news
/// allocates nothing.
/// </summary>
internal sealed class HostEventSpooler(ISpool spool, IHostEventSource[] sources, InventoryWatch inventory, string bootId, ILogger log)
{
    private readonly List<HostEvent> _fresh = [];

    /// <summary>Events were spooled, the last one under this sequence.</summary>
    internal Action<ulong>? OnSpooled { get; init; }

    /// <summary>Spools what happened since the last tick.</summary>
    internal void Drain(in SampleTime now, ClockQuality quality, long lastStepMs)
    {
        if (quality == ClockQuality.Stepped)
        {
            _fresh.Add(ClockStep(now, lastStepMs));
        }

        foreach (IHostEventSource source in sources)
        {
            source.Drain(now, _fresh);
        }

        foreach (HostEvent happened in _fresh)
        {
            log.HostEvent(happened.Kind, happened.Severity.ToString(), happened.Message);
            spool.Append(new AgentMessage { Event = ToWire(happened, spool.NextSequence) }.ToByteArray(), RecordKind.Single);
        }

        if (_fresh.Count > 0)
        {
            OnSpooled?.Invoke(spool.NextSequence - 1);
            _fresh.Clear();
        }

        if (inventory.TakeChange() is { } changed)
        {
            spool.Append(new AgentMessage { Inventory = InventoryMapping.ToWire(changed, spool.NextSequence, now.WallUnixMs) }.ToByteArray(), RecordKind.Single);
        }
    }

    private HostEvent ClockStep(in SampleTime now, long stepMs) => new(
        "clock_step",
        EventSeverity.Warning,
        $"the wall clock was set {(stepMs > 0 ? "forward" : "back")} by {Math.Abs(stepMs)} ms",
        [new Contracts.Series.Label("step_ms", stepMs.ToString())],
        now.WallUnixMs,
        bootId,
        KernelSequence: null);

    private static Event ToWire(HostEvent happened, ulong sequence)
    {
        Event record = new()
        {
            Sequence = sequence,
            WallUnixMs = happened.WallUnixMs,
            Kind = happened.Kind,
            Severity = (Severity)happened.Severity,
            Message = happened.Message,
            BootId = happened.BootId,
        };
        if (happened.KernelSequence is { } kernelSequence)
        {
            record.KernelSequence = kernelSequence;
        }

        record.Attributes.AddRange(happened.Attributes.Select(label => new V1.Label { Name = label.Name, Value = label.Value }));
        return record;
    }
}
