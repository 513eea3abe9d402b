namespace NodeAgent.Detection.Rules;

/// <summary>How a rule looks at its metric.</summary>
public enum RuleTest
{
    /// <summary>Above the limit.</summary>
    Above = 0,

    /// <summary>Below the limit.</summary>
    Below = 1,

    /// <summary>The limit itself.</summary>
    Equals = 2,

    /// <summary>A counter that moved by more than the limit since the last look.</summary>
    Grows = 3,

    /// <summary>A counter that moves by more than the limit a second, averaged over the hold time, five seconds to half a minute.</summary>
    RateAbove = 4,

    /// <summary>Below the other metric by more than the limit.</summary>
    BelowOther = 5,

    /// <summary>Below this share of the other metric.</summary>
    ShareBelow = 6,

    /// <summary>1 for more than this share of the hold time while the other metric is below its reference.</summary>
    ShareAbove = 7,

    /// <summary>Farther from zero than the limit.</summary>
    SizeAbove = 8,
}

/// <summary>One rule that knows physics, as it stands in the catalogue.</summary>
/// <param name="Id">Stable; what findings, silences and runbooks refer to.</param>
/// <param name="Metric">Name, with labels in braces where it has several series a device.</param>
/// <param name="Test">How it looks.</param>
/// <param name="Limit">In the metric's unit, or a share.</param>
/// <param name="Hold">How long it must hold before it is said.</param>
/// <param name="Clear">How long it must be gone before that is said: hysteresis against flapping.</param>
/// <param name="Severity">info, warning, error or critical.</param>
/// <param name="Action">What policy would do; a name, not an order.</param>
/// <param name="Text">The finding, for people.</param>
/// <param name="Why">Why anybody should care.</param>
/// <param name="Runbook">Where to read on.</param>
/// <param name="Other">The metric it is compared with; "" for none.</param>
/// <param name="Reference">What the other metric is compared with; "" for none.</param>
/// <param name="Busy">A metric that must be above 0.1 for the rule to apply at all; "" for always.</param>
public sealed record Rule(
    string Id, string Metric, RuleTest Test, double Limit, TimeSpan Hold, TimeSpan Clear, string Severity, string Action, string Text, string Why, string Runbook,
    string Other, string Reference, string Busy);
