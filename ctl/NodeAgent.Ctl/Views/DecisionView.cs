using System.Globalization;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Views;

/// <summary>How a person sees a decision: the outcome, the places, then the reasons.</summary>
internal static class DecisionView
{
    public static readonly Listing<DecisionItem> Listing = new(
        "Decision",
        [
            new("JOB", "job", item => item.Job, item => item.Job),
            new("OUTCOME", "outcome", item => item.Outcome, item => item.Outcome),
            new("COMMITTED", "committed", item => item.Committed ? "yes" : "no", item => item.Committed ? "true" : "false"),
            new("NODES", "assignments", item => Nodes(item), item => Nodes(item)),
            new("REASON", "reason", item => item.Reason, item => item.Reason),
            new("TOKEN", "token", item => item.Token ?? "", item => item.Token ?? ""),
        ],
        CtlJson.Default.DecisionItem,
        "no decision");

    private static readonly Column<AssignmentItem>[] Places =
    [
        new("REPLICA", "replica", item => Raw.Whole(item.Replica), item => Raw.Whole(item.Replica)) { RightAligned = true },
        new("NODE", "node", item => new Cell(item.Node, Tone.Strong), item => item.Node),
        new("GPUS", "devices", item => JobListing.Devices(item), item => string.Join(' ', item.Devices)),
        new("UUIDS", "deviceUuids", item => item.DeviceUuids.Count == 0 ? Cell.None : string.Join(' ', item.DeviceUuids), item => string.Join(' ', item.DeviceUuids)) { DropOrder = 1, ShrinkTo = 12 },
    ];

    private static readonly Column<TermItem>[] Terms =
    [
        new("SCORE TERM", "name", item => item.Name, item => item.Name),
        new("VALUE", "value", item => Signed(item.Value), item => Raw.Number(item.Value)) { RightAligned = true },
        new("UNIT", "unit", item => item.Unit, item => item.Unit),
    ];

    private static readonly Column<RunnerUpItem>[] Others =
    [
        new("RUNNER-UP", "node", item => item.Node, item => item.Node),
        new("SCORE", "score", item => Signed(item.Score), item => Raw.Number(item.Score)) { RightAligned = true },
        new("DECIDED BY", "decided", item => item.Decided.Name, item => item.Decided.Name),
        new("BEHIND", "behind", item => Signed(item.Decided.Value), item => Raw.Number(item.Decided.Value)) { RightAligned = true },
        new("UNIT", "unit", item => item.Decided.Unit, item => item.Decided.Unit),
    ];

    private static readonly Column<RejectItem>[] Rejects =
    [
        new("NOT IN QUESTION", "reason", item => item.Reason, item => item.Reason),
        new("NODES", "nodes", item => Raw.Whole(item.Nodes), item => Raw.Whole(item.Nodes)) { RightAligned = true },
    ];

    public static StyledLines Render(DecisionItem item, int width)
    {
        Facts facts = new(width);
        bool isPlaced = item.Assignments.Count > 0;
        facts.Add("Job", new Cell(item.Job, Tone.Strong));
        facts.Add("Outcome", new Cell(item.Outcome.Replace('_', ' '), isPlaced ? Tone.Good : Tone.Warn), (item.Reason.Length > 0 ? ": " + item.Reason : "") + (item.Committed ? ", committed" : ""));
        if (isPlaced) facts.Add("Takes from others", $"{item.CostPerGpuHour.ToString("0.###", CultureInfo.InvariantCulture)} GPU-hours per GPU-hour");
        if (item.Token is { } token) facts.Add("Token", token, $", until {item.Expires}");
        foreach (MoveItem move in item.Moves) facts.Add("First moves", $"{move.Job}: {move.From} -> {move.To} (GPU {string.Join(' ', move.Devices)})");
        foreach (EvictionItem job in item.Evictions) facts.Add("First stops", job.Job, $", losing {job.LostGpuHours.ToString("0.##", CultureInfo.InvariantCulture)} GPU-hours");
        foreach (string fact in item.Counterfactuals) facts.Add("Otherwise", fact);
        StyledLines lines = facts.Render();
        AddTable(lines, Places, item.Assignments, width);
        AddTable(lines, Terms, item.Terms, width);
        AddTable(lines, Others, item.RunnersUp, width);
        AddTable(lines, Rejects, item.Rejected, width);
        return lines;
    }

    private static string Nodes(DecisionItem item) => HostList.Compress(item.Assignments.Select(assignment => assignment.Node));

    private static string Signed(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static void AddTable<T>(StyledLines lines, Column<T>[] columns, IReadOnlyList<T> items, int width)
    {
        if (items.Count == 0) return;
        lines.Add();
        lines.Append(TableView.Render(columns, items, wide: false, width));
    }
}
