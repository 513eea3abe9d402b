namespace NodeAgent.Contracts.Metrics;

/// <summary>Meaning of a value's change over time. Numbers are those of <c>nodeagent.v1.MetricKind</c>.</summary>
public enum MetricKind
{
    /// <summary>A level that goes up and down.</summary>
    Gauge = 1,

    /// <summary>Only grows; a smaller value means that the source restarted from zero.</summary>
    Counter = 2,
}
