namespace NodeAgent.Detection;

/// <summary>What kind of thing was found.</summary>
public enum FindingKind
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Never seen before: a new record of level, season, step or hour.</summary>
    Novelty = 1,

    /// <summary>Off its forecast now.</summary>
    Residual = 2,

    /// <summary>Moves more, or less, than it did.</summary>
    Variance = 3,

    /// <summary>Has stopped moving.</summary>
    FlatLine = 4,

    /// <summary>Grows and does not come back.</summary>
    Leak = 5,

    /// <summary>Another distribution than before.</summary>
    Distribution = 6,

    /// <summary>Slower or hotter than those that do the same work.</summary>
    Straggler = 7,

    /// <summary>A rule's condition holds.</summary>
    Rule = 8,

    /// <summary>Will cross a limit.</summary>
    Forecast = 9,

    /// <summary>An event said so; it has no end of its own.</summary>
    Event = 10,
}

/// <summary>What a finding is about; empty parts do not apply.</summary>
/// <param name="Node">The node.</param>
/// <param name="Device">The GPU, disk, link; "" for the node itself.</param>
/// <param name="Metric">The metric; "" for an event.</param>
public readonly record struct Subject(string Node, string Device = "", string Metric = "")
{
    /// <inheritdoc/>
    public override string ToString() => string.Join("/", new[] { Node, Device, Metric }.Where(part => part.Length > 0));
}

/// <summary>
/// One thing somebody or something noticed, with its evidence: what was expected, what was seen, how sure, by which detector, since when.
/// Plain data, so that a journal of findings replays into the same incidents.
/// </summary>
/// <param name="UnixMs">When it was noticed.</param>
/// <param name="SinceUnixMs">Since when it holds; no later than <paramref name="UnixMs"/>.</param>
/// <param name="Kind">What kind.</param>
/// <param name="Cause">The rule or detector that speaks, a stable id: gpu-thermal-throttle, straggler.</param>
/// <param name="Subject">About what.</param>
/// <param name="Expected">What was expected, in the metric's unit; NaN where that has no number.</param>
/// <param name="Seen">What was seen, in the metric's unit.</param>
/// <param name="Sureness">0 to 1: 1 - the share of such findings that would be chance.</param>
/// <param name="Text">For people: one sentence.</param>
/// <param name="Clears">True: it no longer holds.</param>
public sealed record Finding(
    long UnixMs, long SinceUnixMs, FindingKind Kind, string Cause, Subject Subject, double Expected, double Seen, double Sureness, string Text, bool Clears = false)
{
    /// <summary>info, warning, error or critical, where the finding knows better than the catalogue of its cause; "" otherwise.</summary>
    public string Severity { get; init; } = "";

    /// <summary>What to do, likewise.</summary>
    public string Action { get; init; } = "";
}
