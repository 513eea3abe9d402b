using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Events;

/// <summary>
/// Where events come from. The agent drains every source once a tick on the thread that samples; a call never waits, and
/// allocates nothing where nothing happened.
/// </summary>
public interface IHostEventSource
{
    /// <summary>Lower-case noun, stable.</summary>
    string Name { get; }

    /// <summary>Appends what happened since the last call, oldest first. A bounded number: what is left comes with the next call.</summary>
    void Drain(in SampleTime now, ICollection<HostEvent> into);
}
