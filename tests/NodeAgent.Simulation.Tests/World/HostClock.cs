using NodeAgent.Testing;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>One host's clocks over the world's time: a wall clock that can be wrong, stopped or stepped, and a monotonic one that begins at a boot.</summary>
internal sealed class HostClock(SimulatedTime world) : TimeProvider
{
    private long _bootedAt = world.GetTimestamp();
    private DateTimeOffset? _frozenAt;

    /// <summary>By how much the wall clock is wrong.</summary>
    internal TimeSpan Offset { get; set; }

    /// <summary>Whether the wall clock stands still.</summary>
    internal bool IsFrozen
    {
        get => _frozenAt is not null;
        set => _frozenAt = value ? GetUtcNow() : null;
    }

    public override long TimestampFrequency => world.TimestampFrequency;

    public override long GetTimestamp() => world.GetTimestamp() - _bootedAt;

    public override DateTimeOffset GetUtcNow() => _frozenAt ?? world.GetUtcNow() + Offset;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        throw new NotSupportedException("a simulated host has no timers: everything is stepped");

    internal void Reboot() => _bootedAt = world.GetTimestamp();
}
