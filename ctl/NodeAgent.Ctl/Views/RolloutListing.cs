using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Views;

/// <summary>Columns of <c>nodectl rollouts</c>, and one rollout in full.</summary>
internal static class RolloutListing
{
    public static readonly Listing<RolloutItem> Rollouts = new(
        "RolloutList",
        [
            new("ROLLOUT", "rollout", item => item.Rollout, item => item.Rollout),
            new("COMMAND", "kind", item => new Cell(item.Kind + (item.DryRun ? " (dry)" : ""), Tone.Strong), item => item.Kind),
            new("ON", "selector", item => item.Selector, item => item.Selector) { ShrinkTo = 10 },
            new("PHASE", "phase", item => PhaseCell(item), item => item.Phase),
            new("OK", "succeeded", item => $"{item.Succeeded}/{item.TargetCount}", item => Raw.Whole(item.Succeeded)) { RightAligned = true },
            new("FAILED", "failed", item => item.Failed == 0 ? Cell.None : new Cell(Raw.Whole(item.Failed), Tone.Bad), item => Raw.Whole(item.Failed)) { RightAligned = true },
            new("SUBMITTED", "submitted", item => item.Submitted ?? "", item => item.Submitted ?? "") { DropOrder = 1 },
            new("BY", "people", item => string.Join(", ", item.People), item => string.Join(' ', item.People)) { DropOrder = 2 },
        ],
        CtlJson.Default.RolloutItem,
        "no rollouts");

    /// <summary>One of them, as a document.</summary>
    public static readonly Listing<RolloutItem> Rollout = Rollouts with { Kind = "Rollout" };

    private static readonly Column<TargetItem>[] Targets =
    [
        new("NODE", "node", item => new Cell(item.Node, Tone.Strong), item => item.Node),
        new("WAVE", "wave", item => Raw.Whole(item.Wave), item => Raw.Whole(item.Wave)) { RightAligned = true, DropOrder = 1 },
        new("STATE", "state", item => new Cell(item.State, ToneOf(item.State)), item => item.State),
        new("OUTCOME", "outcome", item => item.Outcome ?? "", item => item.Outcome ?? ""),
        new("DETAIL", "detail", item => item.Detail, item => item.Detail) { ShrinkTo = 20 },
    ];

    private static readonly Column<ConditionItem>[] Conditions =
    [
        new("PRECONDITION", "name", item => item.Name, item => item.Name),
        new("", "passed", item => item.Passed ? new Cell("pass", Tone.Good) : new Cell("FAIL", Tone.Bad), item => item.Passed ? "true" : "false"),
        new("DETAIL", "detail", item => item.Detail, item => item.Detail) { ShrinkTo = 20 },
    ];

    public static StyledLines Render(RolloutItem item, int width)
    {
        Facts facts = new(width);
        facts.Add("Rollout", item.Rollout);
        facts.Add("Command", new Cell(item.Kind, Tone.Strong), $", {item.Risk}{(item.DryRun ? ", dry run" : "")}, on {item.Selector}");
        facts.Add("Phase", PhaseCell(item), (item.Detail.Length > 0 ? $": {item.Detail}" : "") + $", wave {item.Wave} of {item.Waves}, {item.Succeeded} of {item.TargetCount} succeeded, {item.Failed} failed");
        facts.Add("People", string.Join(", ", item.People), $", {item.Approvals} must sign");
        if (item.Reason.Length > 0) facts.Add("Reason", item.Reason);
        StyledLines lines = facts.Render();
        if (item.Targets.Count > 0)
        {
            lines.Add();
            lines.Append(TableView.Render(Targets, item.Targets, wide: false, width));
        }

        foreach (TargetItem target in item.Targets.Where(target => target.Preconditions.Count > 0 && (item.DryRun || target.Outcome == "precondition_failed")))
        {
            lines.Add();
            lines.Add(new Cell(target.Node, Tone.Header));
            lines.Append(TableView.Render(Conditions, target.Preconditions, wide: false, width));
        }

        foreach (TargetItem target in item.Targets.Where(target => target.Output is not null))
        {
            lines.Add();
            lines.Add(new Cell($"{target.Node} printed:", Tone.Header));
            foreach (string line in target.Output!.TrimEnd().Split('\n')) lines.Add(Text.Printable.Of(line));
        }

        return lines;
    }

    private static Cell PhaseCell(RolloutItem item) => new(item.Phase.Replace('_', ' '), item.Phase switch
    {
        "done" when item.Failed == 0 => Tone.Good,
        "done" or "awaiting_approval" => Tone.Warn,
        "stopped" => Tone.Bad,
        _ => Tone.Normal,
    });

    private static Tone ToneOf(string state) => state switch
    {
        "succeeded" => Tone.Good,
        "failed" or "unknown" => Tone.Bad,
        "skipped" => Tone.Warn,
        _ => Tone.Normal,
    };
}
