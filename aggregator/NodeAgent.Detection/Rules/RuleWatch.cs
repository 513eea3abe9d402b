namespace NodeAgent.Detection.Rules;

/// <summary>A device's readings now.</summary>
public interface IReadings
{
    /// <summary>The value of a metric as the catalogue writes it; NaN: there is none, which is neither zero nor healthy and decides nothing.</summary>
    double Of(string metric);
}

/// <summary>
/// The rules over one device (or node), with hold and clear times: a rule speaks once when it begins to hold and once when it is over. State
/// is fixed: 40 bytes a rule.
/// </summary>
public sealed class RuleWatch
{
    private const double BusyAbove = 0.1;
    // A rate is averaged over the rule's hold: what must hold for five seconds cannot be looked at through thirty. Bounded, because a counter
    // that moves once in a few seconds has no rate in one.
    private const double ShortestHorizonMs = 5_000;
    private const double LongestHorizonMs = 30_000;

    private readonly IReadOnlyList<Rule> _rules;
    private readonly string _node;
    private readonly string _device;
    private readonly State[] _states;

    /// <param name="rules">Which rules.</param>
    /// <param name="node">The node.</param>
    /// <param name="device">The device; "" for the node itself.</param>
    public RuleWatch(IReadOnlyList<Rule> rules, string node, string device)
    {
        (_rules, _node, _device) = (rules, node, device);
        _states = new State[rules.Count];
        foreach (ref State state in _states.AsSpan())
        {
            state = new State { Since = -1, GoneSince = -1, Last = double.NaN };
        }
    }

    /// <summary>How much longer than written a rule must hold before it speaks; 1 by default. A rule without a hold time is a fact and stays one.</summary>
    public Func<string, double>? Strictness { get; init; }

    /// <summary>A rule had spoken before a restart and was not over: it goes on from there, and will say when it is.</summary>
    /// <returns>False: it is none of these rules.</returns>
    public bool Resume(string rule, long sinceUnixMs)
    {
        for (int at = 0; at < _rules.Count; at++)
        {
            if (_rules[at].Id == rule)
            {
                (_states[at].Said, _states[at].Since) = (true, sinceUnixMs);
                return true;
            }
        }

        return false;
    }

    /// <summary>Nothing will be read here any more: what had been said is over, as far as anybody can know.</summary>
    public void End(long unixMs, ICollection<Finding> findings)
    {
        for (int at = 0; at < _rules.Count; at++)
        {
            if (_states[at].Said)
            {
                findings.Add(new Finding(
                    unixMs, _states[at].Since, FindingKind.Rule, _rules[at].Id, new Subject(_node, _device, _rules[at].Metric), double.NaN, double.NaN, 1,
                    "nothing is read here any more", Clears: true));
                _states[at] = new State { Since = -1, GoneSince = -1, Last = double.NaN };
            }
        }
    }

    /// <summary>Looks at the readings of one instant; times never go back.</summary>
    public void Look(IReadings readings, long unixMs, ICollection<Finding> findings)
    {
        for (int at = 0; at < _rules.Count; at++)
        {
            Rule rule = _rules[at];
            double value = readings.Of(rule.Metric);
            if (double.IsNaN(value))
            {
                continue;
            }

            ref State state = ref _states[at];
            bool applies = rule.Busy.Length == 0 || readings.Of(rule.Busy) > BusyAbove;
            bool holds = Holds(rule, ref state, value, readings, unixMs) && applies;
            Settle(rule, ref state, holds, value, readings, unixMs, findings);
        }
    }

    private static bool Holds(Rule rule, ref State state, double value, IReadings readings, long unixMs)
    {
        switch (rule.Test)
        {
            case RuleTest.Above:
                return value > rule.Limit;
            case RuleTest.Below:
                return value < rule.Limit;
            case RuleTest.Equals:
                return value == rule.Limit;
            case RuleTest.SizeAbove:
                return Math.Abs(value) > rule.Limit;
            case RuleTest.BelowOther:
                return value < readings.Of(rule.Other) - rule.Limit;
            case RuleTest.ShareBelow:
                return value < rule.Limit * readings.Of(rule.Other);
            case RuleTest.ShareAbove:
                state.Share += (value - state.Share) * Math.Min((unixMs - state.LastMs) / Math.Max(rule.Hold.TotalMilliseconds, 1), 1);
                state.LastMs = unixMs;
                return state.Share > rule.Limit && readings.Of(rule.Other) < readings.Of(rule.Reference);
            case RuleTest.Grows:
                // A counter that starts again at less than before was reset with its device; that is no growth.
                bool grew = value > state.Last + rule.Limit;
                state.Last = value;
                return grew;
            default:
                return RateHolds(rule, ref state, value, unixMs);
        }
    }

    private static bool RateHolds(Rule rule, ref State state, double value, long unixMs)
    {
        if (!double.IsNaN(state.Last) && unixMs > state.LastMs)
        {
            double passed = unixMs - state.LastMs;
            double rate = Math.Max(value - state.Last, 0) * 1000 / passed;
            state.Share += (rate - state.Share) * Math.Min(passed / Math.Clamp(rule.Hold.TotalMilliseconds, ShortestHorizonMs, LongestHorizonMs), 1);
        }

        (state.Last, state.LastMs) = (value, unixMs);
        return state.Share > rule.Limit;
    }

    private void Settle(Rule rule, ref State state, bool holds, double value, IReadings readings, long unixMs, ICollection<Finding> findings)
    {
        if (holds)
        {
            state.Since = state.Since < 0 ? unixMs : state.Since;
            state.GoneSince = -1;
            if (!state.Said && unixMs - state.Since >= rule.Hold.TotalMilliseconds * (Strictness?.Invoke(rule.Id) ?? 1))
            {
                state.Said = true;
                findings.Add(Say(rule, state.Since, value, readings, unixMs, clears: false));
            }

            return;
        }

        if (!state.Said)
        {
            state.Since = -1;
            return;
        }

        state.GoneSince = state.GoneSince < 0 ? unixMs : state.GoneSince;
        if (unixMs - state.GoneSince >= rule.Clear.TotalMilliseconds)
        {
            findings.Add(Say(rule, state.Since, value, readings, unixMs, clears: true));
            (state.Said, state.Since, state.GoneSince) = (false, -1, -1);
        }
    }

    private Finding Say(Rule rule, long since, double value, IReadings readings, long unixMs, bool clears)
    {
        double expected = rule.Other.Length > 0 ? readings.Of(rule.Other) * (rule.Test == RuleTest.ShareBelow ? rule.Limit : 1) : rule.Limit;
        return new Finding(unixMs, since, FindingKind.Rule, rule.Id, new Subject(_node, _device, rule.Metric), expected, value, 1, rule.Text, clears);
    }

    private struct State
    {
        public long Since;
        public long GoneSince;
        public long LastMs;
        public double Last;
        public double Share;
        public bool Said;
    }
}
