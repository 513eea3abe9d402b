using System.Collections.Concurrent;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>Events about GPUs on their way to the tick that spools them. Written by the tick and by the supervisor's work.</summary>
internal sealed class GpuEventQueue(TimeProvider time, string bootId)
{
    private const int Most = 1024; // a storm; the counters still tell how much there was

    private readonly ConcurrentQueue<HostEvent> _events = new();

    /// <summary>Events that did not fit.</summary>
    internal long Dropped { get; private set; }

    internal void Add(string kind, EventSeverity severity, string message, params (string Name, string Value)[] attributes) =>
        Add(Make(kind, severity, message, time.GetUtcNow().ToUnixTimeMilliseconds(), attributes));

    internal void Add(HostEvent happened)
    {
        if (_events.Count >= Most)
        {
            Dropped++;
            return;
        }

        _events.Enqueue(happened);
    }

    internal HostEvent Make(string kind, EventSeverity severity, string message, long wallMs, params (string Name, string Value)[] attributes)
    {
        Label[] labels = [.. attributes.Where(attribute => attribute.Value.Length > 0).Select(attribute => new Label(attribute.Name, attribute.Value))];
        Array.Sort(labels);
        return new HostEvent(kind, severity, message, labels, wallMs, bootId, KernelSequence: null);
    }

    internal void Drain(ICollection<HostEvent> into)
    {
        while (_events.TryDequeue(out HostEvent? happened))
        {
            into.Add(happened);
        }
    }
}
