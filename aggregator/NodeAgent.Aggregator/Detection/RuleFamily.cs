using System.Collections.Frozen;
using NodeAgent.Detection.Rules;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What several series of one device that one rule means come to.</summary>
internal enum SlotFold
{
    Least,
    Most,
}

/// <summary>
/// The rules about one kind of device, and which series feed them: a metric with labels, as the catalogue writes it, becomes a number once, so
/// that a row costs array stores and no look-up by name.
/// </summary>
internal sealed class RuleFamily
{
    private readonly FrozenDictionary<string, int> _slots;
    private readonly Dictionary<string, List<(int Slot, (string Name, string Value)[] Labels)>> _byMetric = new(StringComparer.Ordinal);

    private RuleFamily(string deviceLabel, string prefix, Rule[] rules, params string[] others)
    {
        (DeviceLabel, Prefix, Rules) = (deviceLabel, prefix, rules);
        string[] expressions = [.. rules.SelectMany(rule => new[] { rule.Metric, rule.Other, rule.Reference, rule.Busy }).Concat(others).Where(text => text.Length > 0).Distinct(StringComparer.Ordinal)];
        _slots = expressions.Select((text, slot) => (text, slot)).ToFrozenDictionary(pair => pair.text, pair => pair.slot, StringComparer.Ordinal);
        Folds = [.. expressions.Select(text => rules.Any(rule => rule.Metric == text && rule.Test is RuleTest.Below or RuleTest.BelowOther or RuleTest.ShareBelow) ? SlotFold.Least : SlotFold.Most)];
        foreach ((string text, int slot) in _slots)
        {
            (string metric, (string, string)[] labels) = Parse(text);
            (_byMetric.TryGetValue(metric, out var list) ? list : _byMetric[metric] = []).Add((slot, labels));
        }
    }

    /// <summary>Silence is no metric of any agent: the aggregator says it of a node.</summary>
    internal const string SilenceMetric = "silence_seconds";

    /// <summary>What peers of one job are compared by: the first that they have, and which way is bad (-1: lower).</summary>
    internal static readonly (string Expression, int Direction)[] PeerMetrics = [("gpu_activity_ratio{part=sm}", -1), ("gpu_clock_hertz{clock=sm}", -1)];

    internal static RuleFamily Silence { get; } = Of("", SilenceMetric);

    internal static RuleFamily Gpu { get; } = Of("gpu", "gpu_", [.. PeerMetrics.Select(metric => metric.Expression)]);

    private static RuleFamily Filesystem { get; } = Of("mountpoint", "node_filesystem_");

    private static RuleFamily Network { get; } = Of("device", "node_network_");

    private static RuleFamily Cgroup { get; } = Of("name", "node_cgroup_");

    private static RuleFamily Node { get; } = new("", "", [.. RuleCatalogue.Embedded.Rules.Where(rule =>
        !new[] { "gpu_", "node_filesystem_", "node_network_", "node_cgroup_", SilenceMetric }.Any(prefix => rule.Metric.StartsWith(prefix, StringComparison.Ordinal)))]);

    /// <summary>Every family that reads series.</summary>
    internal static IReadOnlyList<RuleFamily> All { get; } = [Gpu, Filesystem, Network, Cgroup, Node];

    /// <summary>A reading that says nothing as long as the device never had another one; slot -1: there is none.</summary>
    internal (int Slot, double Value) BornSo => Prefix switch
    {
        "node_filesystem_" => (SlotOf("node_filesystem_readonly"), 1),
        "node_network_" => (SlotOf("node_network_carrier"), 0),
        _ => (-1, 0),
    };

    internal string DeviceLabel { get; }

    internal string Prefix { get; }

    internal Rule[] Rules { get; }

    internal SlotFold[] Folds { get; }

    internal int Slots => _slots.Count;

    internal int SlotOf(string expression) => _slots.GetValueOrDefault(expression, -1);

    /// <summary>The slot that a series feeds; -1: no rule asks for it.</summary>
    internal int SlotOf(SeriesInfo series)
    {
        if (_byMetric.TryGetValue(series.Metric, out var candidates))
        {
            foreach ((int slot, (string Name, string Value)[] labels) in candidates)
            {
                if (Array.TrueForAll(labels, label => series.LabelValue(label.Name) == label.Value))
                {
                    return slot;
                }
            }
        }

        return -1;
    }

    /// <summary>The device that a series is about: "gpu3", "/var", "eth0"; "" for the node.</summary>
    internal string DeviceOf(SeriesInfo series) => DeviceLabel.Length == 0 ? "" : DeviceLabel == "gpu" ? "gpu" + series.LabelValue("gpu") : series.LabelValue(DeviceLabel);

    private static RuleFamily Of(string deviceLabel, string prefix, params string[] others) =>
        new(deviceLabel, prefix, [.. RuleCatalogue.Embedded.Rules.Where(rule => rule.Metric.StartsWith(prefix, StringComparison.Ordinal))], others);

    private static (string Metric, (string Name, string Value)[] Labels) Parse(string expression)
    {
        int brace = expression.IndexOf('{', StringComparison.Ordinal);
        return brace < 0
            ? (expression, [])
            : (expression[..brace], [.. expression[(brace + 1)..^1].Split(',').Select(pair => pair.Split('=')).Select(pair => (pair[0], pair[1]))]);
    }
}
