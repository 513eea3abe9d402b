using NodeAgent.Commands.Catalogue;
using NodeAgent.V1;

namespace NodeAgent.Commands.Policy;

/// <summary>Attempts allowed in a sliding hour and day.</summary>
public readonly record struct AttemptCap(int PerHour, int PerDay);

/// <summary>
/// How often this node acts at most, whatever the aggregator says and whoever signs: a wave gone wrong, or a repair that repairs nothing,
/// ends here. Counted from the journal, so a restart forgives nothing; attempts count, not successes.
/// </summary>
public static class ActuationLimits
{
    /// <summary>Above R0, of all kinds together, an hour, unless the policy says otherwise.</summary>
    public const int DefaultTotalPerHour = 20;

    /// <summary>What the policy can raise that to.</summary>
    public const int CeilingTotalPerHour = 240;

    /// <summary>Without a word in the policy. R3: once an hour, because a machine that needs a second reboot needs a person.</summary>
    public static AttemptCap DefaultOf(RiskClass risk) => risk switch
    {
        RiskClass.R0 => new(120, 1200),
        RiskClass.R1 => new(12, 96),
        RiskClass.R2 => new(4, 24),
        _ => new(1, 2),
    };

    /// <summary>What the policy can raise it to: a typing mistake there must not be a licence.</summary>
    public static AttemptCap CeilingOf(RiskClass risk) => risk switch
    {
        RiskClass.R0 => new(3600, 36_000),
        RiskClass.R1 => new(3600, 36_000),
        RiskClass.R2 => new(60, 480),
        _ => new(4, 8),
    };

    /// <summary>What holds for a command under a rule.</summary>
    public static AttemptCap Of(CommandDescription description, CommandRule? rule)
    {
        AttemptCap normal = DefaultOf(description.Risk);
        AttemptCap ceiling = CeilingOf(description.Risk);
        int perHour = Math.Clamp(rule?.MaxPerHour ?? normal.PerHour, 0, ceiling.PerHour);
        int perDay = Math.Clamp(rule?.MaxPerDay ?? Math.Max(normal.PerDay, perHour), 0, ceiling.PerDay);
        return new AttemptCap(perHour, perDay);
    }
}
