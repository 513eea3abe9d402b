using System.Globalization;
using System.Text.Json;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>A job of <c>nodectl jobs</c>.</summary>
/// <param name="Job">Its name.</param>
/// <param name="State">held, committed or lost.</param>
/// <param name="Replicas">That have a place.</param>
/// <param name="Gpus">Of each replica.</param>
/// <param name="GpuMilli">Thousandths of each GPU; 0 without GPUs.</param>
/// <param name="CpuMilli">Thousandths of a core, of each replica.</param>
/// <param name="MemoryMib">Of each replica.</param>
/// <param name="MigProfile">Of a partition; null: none.</param>
/// <param name="Priority">Larger is more important.</param>
/// <param name="Tenant">Who pays; empty: nobody in particular.</param>
/// <param name="Assignments">Where it is; lost: was.</param>
/// <param name="Since">When it was placed.</param>
/// <param name="SinceUnixMs">The same.</param>
/// <param name="Token">Of a held job, for operators.</param>
/// <param name="LostReason">Why it is lost; null: it is not.</param>
internal sealed record JobItem(
    string Job, string State, int Replicas, uint Gpus, uint GpuMilli, uint CpuMilli, uint MemoryMib, string? MigProfile, int Priority, string Tenant,
    IReadOnlyList<AssignmentItem> Assignments, string? Since, long SinceUnixMs, string? Token, string? LostReason)
{
    public static JobItem From(Job job) => new(
        job.Request.Job, job.State switch { JobState.Held => "held", JobState.Committed => "committed", JobState.Lost => "lost", _ => "unknown" },
        job.Assignments.Count, job.Request.Gpus, job.Request.GpuMilli, job.Request.CpuMilli, job.Request.MemoryMib, OrNull(job.Request.MigProfile), job.Request.Priority, job.Request.Tenant,
        [.. job.Assignments.Select(AssignmentItem.From)], MomentText.Rfc3339(job.SinceUnixMs), job.SinceUnixMs, OrNull(job.Token), OrNull(job.LostReason));

    private static string? OrNull(string text) => text.Length == 0 ? null : text;
}

/// <summary>Columns of <c>nodectl jobs</c>.</summary>
internal static class JobListing
{
    public static readonly Listing<JobItem> Jobs = new(
        "JobList",
        [
            new("JOB", "job", item => new Cell(item.Job, Tone.Strong), item => item.Job) { ShrinkTo = 12 },
            new("STATE", "state", item => new Cell(item.State, item.State switch { "committed" => Tone.Good, "lost" => Tone.Bad, _ => Tone.Warn }), item => item.State),
            new("REPLICAS", "replicas", item => Raw.Whole((long)item.Replicas), item => Raw.Whole((long)item.Replicas)) { RightAligned = true },
            new("GPUS", "gpus", Gpus, item => Raw.Whole(item.Gpus)) { RightAligned = true },
            new("CPU", "cpuMilli", item => (item.CpuMilli / 1000.0).ToString("0.###", CultureInfo.InvariantCulture), item => Raw.Whole(item.CpuMilli)) { RightAligned = true, DropOrder = 3 },
            new("MEMORY", "memoryMib", item => Human.Bytes(item.MemoryMib * 1048576.0), item => Raw.Whole(item.MemoryMib)) { RightAligned = true, DropOrder = 4 },
            new("NODES", "assignments", item => HostList.Compress(item.Assignments.Select(assignment => assignment.Node)), item => HostList.Compress(item.Assignments.Select(assignment => assignment.Node))) { ShrinkTo = 12 },
            new("DEVICES", "devices", item => item.Assignments.Count == 1 ? Devices(item.Assignments[0]) : Cell.None, item => string.Join(';', item.Assignments.Select(assignment => string.Join(' ', assignment.Devices)))) { DropOrder = 2 },
            new("SINCE", "sinceUnixMs", item => MomentText.DateAndClock(item.SinceUnixMs), item => Raw.Moment(item.SinceUnixMs)) { DropOrder = 1 },
            new("LOST", "lostReason", item => new Cell(item.LostReason ?? "", Tone.Bad), item => item.LostReason ?? ""),
            new("TENANT", "tenant", item => item.Tenant, item => item.Tenant) { WideOnly = true },
            new("PRIORITY", "priority", item => Raw.Whole((long)item.Priority), item => Raw.Whole((long)item.Priority)) { WideOnly = true, RightAligned = true },
            new("TOKEN", "token", item => item.Token ?? "", item => item.Token ?? "") { WideOnly = true },
        ],
        CtlJson.Default.JobItem,
        "no jobs");

    internal static Cell Devices(AssignmentItem item) =>
        item.Devices.Count == 0 ? Cell.None : string.Join(' ', item.Devices) + (item.MigStart is { } start ? $" from slice {start}" : "");

    private static Cell Gpus(JobItem item) => item.MigProfile is { } profile ? profile
        : item.GpuMilli is 0 or 1000 ? Raw.Whole(item.Gpus) : (item.Gpus * item.GpuMilli / 1000.0).ToString("0.###", CultureInfo.InvariantCulture);
}

/// <summary>Columns of <c>nodectl plan</c>.</summary>
internal static class PlanListing
{
    public static readonly Listing<MoveItem> Moves = new(
        "MovePlan",
        [
            new("JOB", "job", item => new Cell(item.Job, Tone.Strong), item => item.Job),
            new("FROM", "from", item => item.From, item => item.From),
            new("TO", "to", item => item.To, item => item.To),
            new("GPUS THERE", "devices", item => item.Devices.Count == 0 ? Cell.None : string.Join(' ', item.Devices), item => string.Join(' ', item.Devices)),
        ],
        CtlJson.Default.MoveItem,
        "no moves");

    /// <summary>The plan's own fields.</summary>
    public static Action<Utf8JsonWriter> About(MovePlan plan) => json =>
    {
        json.WriteBoolean("complete", plan.Complete);
        json.WriteString("summary", plan.Summary);
        json.WriteNumber("gainMilli", plan.GainMilli);
        json.WriteStartArray("unplaced");
        foreach (string job in plan.Unplaced) json.WriteStringValue(job);
        json.WriteEndArray();
    };
}

/// <summary>What a job would come to under one policy.</summary>
internal sealed record PolicyItem(string Policy, double PlacedGpus, double UnusableGpus, double ExpectedLoss, uint NodesInUse, bool Dominated)
{
    public static PolicyItem From(ParetoRow row) => new(row.Policy, row.PlacedGpus, row.UnusableGpus, row.ExpectedLoss, row.NodesInUse, row.Dominated);
}

/// <summary>Columns of <c>nodectl what-if --compare</c>.</summary>
internal static class PolicyListing
{
    public static readonly Listing<PolicyItem> Policies = new(
        "PolicyList",
        [
            new("POLICY", "policy", item => new Cell(item.Policy, item.Dominated ? Tone.Dim : Tone.Strong), item => item.Policy),
            new("GPUS PLACED", "placedGpus", item => Number(item.PlacedGpus), item => Raw.Number(item.PlacedGpus)) { RightAligned = true },
            new("GPUS UNUSABLE", "unusableGpus", item => Number(item.UnusableGpus), item => Raw.Number(item.UnusableGpus)) { RightAligned = true },
            new("GPU-HOURS/H AT RISK", "expectedLoss", item => Number(item.ExpectedLoss), item => Raw.Number(item.ExpectedLoss)) { RightAligned = true },
            new("NODES IN USE", "nodesInUse", item => Raw.Whole(item.NodesInUse), item => Raw.Whole(item.NodesInUse)) { RightAligned = true },
            new("DOMINATED", "dominated", item => item.Dominated ? "yes" : "", item => item.Dominated ? "true" : "false"),
        ],
        CtlJson.Default.PolicyItem,
        "no policies compared");

    private static string Number(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);
}

/// <summary>A kind of node that refused jobs would pay for.</summary>
internal sealed record AdviceItem(string Like, uint Nodes, double AdmittedGpus, double GpusPerNode, string Summary)
{
    public static AdviceItem From(ScaleAdvice advice) => new(advice.Like, advice.Nodes, advice.AdmittedGpus, advice.GpusPerNode, advice.Summary);
}

/// <summary>Columns of <c>nodectl scale</c>.</summary>
internal static class AdviceListing
{
    public static readonly Listing<AdviceItem> Advice = new(
        "AdviceList",
        [
            new("LIKE", "like", item => new Cell(item.Like, Tone.Strong), item => item.Like),
            new("NODES", "nodes", item => Raw.Whole(item.Nodes), item => Raw.Whole(item.Nodes)) { RightAligned = true },
            new("GPUS ADMITTED", "admittedGpus", item => item.AdmittedGpus.ToString("0.#", CultureInfo.InvariantCulture), item => Raw.Number(item.AdmittedGpus)) { RightAligned = true },
            new("BY THE FIRST", "gpusPerNode", item => item.GpusPerNode.ToString("0.#", CultureInfo.InvariantCulture), item => Raw.Number(item.GpusPerNode)) { RightAligned = true },
            new("IN WORDS", "summary", item => item.Summary, item => item.Summary) { DropOrder = 1 },
        ],
        CtlJson.Default.AdviceItem,
        "nothing was refused that more nodes would take");
}

/// <summary>
/// One entry of a Kubernetes scheduler extender's HostPriorityList (k8s.io/kube-scheduler/extender/v1): names as there, 10 is best
/// (MaxExtenderPriority).
/// </summary>
internal sealed record HostPriority([property: System.Text.Json.Serialization.JsonPropertyName("Host")] string Host, [property: System.Text.Json.Serialization.JsonPropertyName("Score")] long Score)
{
    /// <summary>Most nodes that are asked for; a scheduler asks for those that it filtered.</summary>
    public const uint MostNodes = 1_000;

    private const double Best = 10;

    /// <summary>Scores of a policy are only an order: they are spread over 0 to 10.</summary>
    public static HostPriority[] Of(IReadOnlyList<RankNodesResponse.Types.RankedNode> ranked)
    {
        if (ranked.Count == 0) return [];
        double best = ranked.Max(node => node.Score);
        double worst = ranked.Min(node => node.Score);
        return [.. ranked.Select(node => new HostPriority(node.Node, best > worst ? (long)Math.Round(Best * (node.Score - worst) / (best - worst)) : (long)Best))];
    }
}
