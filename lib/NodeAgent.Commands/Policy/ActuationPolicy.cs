using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Commands.Policy;

/// <summary>
/// What this node lets itself be told, resolved and immutable. A refusal always beats a permission; what no rule speaks of is refused,
/// except that reading (R0) is allowed. No answer depends on anything the network said but the command itself.
/// </summary>
public sealed class ActuationPolicy : ICommandPolicy
{
    private static readonly TimeSpan DefaultMaxTtl = TimeSpan.FromDays(1);
    private readonly IReadOnlyDictionary<string, CommandRule> _rules;

    internal ActuationPolicy(
        KeyRing keys, IReadOnlyDictionary<string, CommandRule> rules, int totalPerHour,
        IReadOnlyDictionary<string, DiagnosticEntry> diagnostics, IReadOnlyDictionary<string, BundleEntry> bundles, string hash)
    {
        Keys = keys;
        _rules = rules;
        TotalPerHour = totalPerHour;
        Diagnostics = diagnostics;
        Bundles = bundles;
        Hash = hash;
    }

    /// <summary>Without a file: R0 alone, no key, no diagnostic.</summary>
    public static ActuationPolicy Default { get; } = new(
        KeyRing.Empty, new Dictionary<string, CommandRule>(), ActuationLimits.DefaultTotalPerHour,
        new Dictionary<string, DiagnosticEntry>(), new Dictionary<string, BundleEntry>(), "default");

    public KeyRing Keys { get; }

    /// <summary>Commands above R0, of all kinds, an hour.</summary>
    public int TotalPerHour { get; }

    public IReadOnlyDictionary<string, DiagnosticEntry> Diagnostics { get; }

    public IReadOnlyDictionary<string, BundleEntry> Bundles { get; }

    /// <summary>SHA-256 of the file in hexadecimal, for the aggregator to compare; "default" without a file.</summary>
    public string Hash { get; }

    /// <summary>Decides, and names the rule that did: this is also "explain".</summary>
    public PolicyDecision Decide(Command command, CommandDescription description)
    {
        string key = $"commands.{description.Name}";
        CommandRule? rule = _rules.GetValueOrDefault(description.Name);
        if (rule is { Allow: false }) return No($"{key}.allow", "it is false");
        if (rule is null && description.Risk != RiskClass.R0) return No("default", $"no rule allows {description.Name}, and without one only R0 is allowed");
        if ((ParameterRefusal(command, description, rule, key) ?? TtlRefusal(command, rule, key)) is { } refusal) return refusal;

        int approvals = Math.Max(description.MinApprovals, rule?.Approvals ?? 0);
        return command.DryRun
            ? new PolicyDecision(true, 0, rule is null ? "default" : $"{key}.allow", "a dry run changes nothing and needs no signature")
            : new PolicyDecision(true, approvals, approvals > description.MinApprovals ? $"{key}.approvals" : $"class {description.Risk}", $"{approvals} must sign");
    }

    /// <summary>How often a command may be tried.</summary>
    public AttemptCap CapOf(CommandDescription description) => ActuationLimits.Of(description, _rules.GetValueOrDefault(description.Name));

    private static PolicyDecision? ParameterRefusal(Command command, CommandDescription description, CommandRule? rule, string key)
    {
        foreach (ParameterDescription parameter in description.Parameters)
        {
            if (parameter.IsNumber)
            {
                long value = parameter.NumberOf(command);
                if (rule?.Bounds.GetValueOrDefault(parameter.Name) is not { } bound) continue;
                if (value < (bound.Min ?? long.MinValue)) return No($"{key}.bounds.{parameter.Name}.min", $"{value} is less than {bound.Min}");
                if (value > (bound.Max ?? long.MaxValue)) return No($"{key}.bounds.{parameter.Name}.max", $"{value} is more than {bound.Max}");
            }
            else
            {
                string value = parameter.TextOf(command);
                List<string>? allowed = rule?.Values.GetValueOrDefault(parameter.Name);
                if (allowed is null && parameter.MustBeListed) return No($"{key}.values.{parameter.Name}", "no list of allowed values, and this parameter needs one");
                if (allowed is not null && !allowed.Any(pattern => Matches(pattern, value))) return No($"{key}.values.{parameter.Name}", $"{value} is not in the list");
            }
        }

        return null;
    }

    private static PolicyDecision? TtlRefusal(Command command, CommandRule? rule, string key)
    {
        TimeSpan max = rule?.MaxTtlSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : DefaultMaxTtl;
        return command.TtlMs > max.TotalMilliseconds ? No($"{key}.max_ttl_seconds", $"{command.TtlMs} ms is longer than {max.TotalSeconds} s") : null;
    }

    private static bool Matches(string pattern, string value) =>
        pattern.EndsWith("/*", StringComparison.Ordinal)
            ? value.StartsWith(pattern[..^1], StringComparison.Ordinal) && !value.Contains("..", StringComparison.Ordinal)
            : pattern == value;

    private static PolicyDecision No(string rule, string detail) => new(false, 0, rule, detail);
}
