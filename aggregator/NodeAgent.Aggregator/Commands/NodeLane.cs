using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>What is known of one node for commands. Under the desk's lock.</summary>
internal sealed class NodeLane(string node)
{
    internal string Node { get; } = node;

    /// <summary>Its live stream; null: it has none.</summary>
    internal ICommandOutlet? Outlet { get; set; }

    /// <summary>What it said last of its actuator; null: nothing since the aggregator started.</summary>
    internal ActuatorReport? Report { get; set; }

    /// <summary>Timestamp of the report on the present stream; 0: it is still to come.</summary>
    internal long ReportedAt { get; set; }

    /// <summary>The highest number given away: that it consumed, that was submitted, that somebody is about to sign.</summary>
    internal ulong Sequence { get; set; }

    /// <summary>The end of its chain as last heard; null: never.</summary>
    internal NodeHead? Head { get; set; }

    /// <summary>Heard of, and not in the journal yet.</summary>
    internal bool IsHeadNew { get; set; }
}
