namespace NodeAgent.Aggregator.Alerts;

/// <summary>How much it matters; the words are those that Alertmanager routes are written with.</summary>
internal enum AlertSeverity
{
    Info,
    Warning,
    Critical,
}

/// <summary>Something that is wrong now. Two with the same name and labels are one.</summary>
/// <param name="Name">What is wrong, such as <c>AgentSilent</c>; the label <c>alertname</c>.</param>
/// <param name="Severity">The label <c>severity</c>.</param>
/// <param name="Labels">What it is about, such as <c>node</c>: these group and silence. Never a value that changes while it lasts.</param>
/// <param name="Summary">One line for a pager.</param>
/// <param name="Description">What it means and what to do; may change while it lasts.</param>
/// <param name="Runbook">Where the steps are, as a path below docs/, such as <c>runbooks/detection.md#agent-silent</c>; "": nowhere.</param>
/// <param name="SinceUnixMs">Since when; 0: since it was first seen.</param>
internal sealed record Alert(
    string Name, AlertSeverity Severity, IReadOnlyDictionary<string, string> Labels, string Summary, string Description, string Runbook = "", long SinceUnixMs = 0)
{
    /// <summary>What makes it the same one.</summary>
    internal string Key { get; } = $"{Name}\n{string.Join('\n', Labels.OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}"))}";
}

/// <summary>
/// Whoever knows what is wrong. Asked every few seconds for all that is wrong now: what it no longer names is over. So a source needs no
/// memory of what it said, and a restart of the aggregator loses nothing.
/// </summary>
internal interface IAlertSource
{
    /// <summary>What is wrong at this moment. On the alerts' own thread of work; must not wait.</summary>
    IEnumerable<Alert> Active(long nowUnixMs);
}

/// <summary>What a receiver is told: an alert, and when it began and ended.</summary>
/// <param name="Alert">What it is about.</param>
/// <param name="StartsAtUnixMs">Since when.</param>
/// <param name="EndedAtUnixMs">When it was over; null: it lasts.</param>
internal sealed record Notice(Alert Alert, long StartsAtUnixMs, long? EndedAtUnixMs);
