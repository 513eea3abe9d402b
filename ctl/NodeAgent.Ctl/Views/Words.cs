using NodeAgent.Ctl.Output;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>The words for the contract's enumerations, and their tone.</summary>
internal static class Words
{
    public static string Of(NodeState state) => state switch
    {
        NodeState.Live => "live",
        NodeState.Late => "late",
        NodeState.Down => "down",
        _ => "unknown",
    };

    public static Tone ToneOfState(string state) => state switch
    {
        "live" => Tone.Good,
        "late" => Tone.Warn,
        "down" => Tone.Bad,
        _ => Tone.Dim,
    };

    public static string Of(ClockQuality clock) => clock switch
    {
        ClockQuality.Synchronised => "synchronised",
        ClockQuality.Unsynchronised => "unsynchronised",
        ClockQuality.Stepped => "stepped",
        _ => "unknown",
    };

    public static Tone ToneOfClock(string clock) => clock switch
    {
        "synchronised" => Tone.Normal,
        "unknown" => Tone.Dim,
        _ => Tone.Warn,
    };

    public static string Of(MetricKind kind) => kind switch
    {
        MetricKind.Gauge => "gauge",
        MetricKind.Counter => "counter",
        _ => "unknown",
    };

    public static string Of(Severity severity) => severity switch
    {
        Severity.Info => "info",
        Severity.Warning => "warning",
        Severity.Error => "error",
        Severity.Critical => "critical",
        _ => "unknown",
    };

    public static string Of(IncidentState state) => state switch
    {
        IncidentState.Open => "open",
        IncidentState.Acknowledged => "acknowledged",
        IncidentState.Silenced => "silenced",
        IncidentState.Resolved => "resolved",
        _ => "unknown",
    };

    public static Tone ToneOfIncident(string state) => state switch
    {
        "open" => Tone.Bad,
        "acknowledged" => Tone.Warn,
        "resolved" => Tone.Good,
        _ => Tone.Dim,
    };

    public static string Of(IncidentChange change) => change switch
    {
        IncidentChange.Unspecified => "is there",
        IncidentChange.Cause => "other cause",
        _ => change.ToString().ToLowerInvariant(),
    };

    public static Tone ToneOfSeverity(string severity) => severity switch
    {
        "warning" => Tone.Warn,
        "error" or "critical" => Tone.Bad,
        "info" => Tone.Normal,
        _ => Tone.Dim,
    };
}
