using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary>What a job asks for: the same options wherever a job is placed or imagined.</summary>
internal sealed class JobOptions
{
    private static readonly string[] Policies = ["auto", "value", "blend", "fgd", "bestfit", "gpupacking", "gpuclustering", "dotprod", "spread", "random"];

    private readonly Argument<string> _job = new("job") { HelpName = "JOB", Description = "The job's name; no running job may have it" };
    private readonly Option<int?> _gpus = Values.Count("--gpus", "GPUs of each replica (default: 0)", 0, 8);
    private readonly Option<int?> _gpuMilli = Values.Count("--gpu-milli", "Thousandths of each GPU (default: 1000, whole GPUs)", 1, 1000);
    private readonly Option<uint?> _cpu = Scaled("--cpu", "Cores of each replica: 4, 0.5 or 500m (default: none)", "cores", Amount.TryMilli);
    private readonly Option<uint?> _memory = Scaled("--memory", "Host memory of each replica: 64GiB (default: none)", "size", Amount.TryMiB);
    private readonly Option<string[]> _model = Names("--model", "Acceptable GPU models, whole names or parts of them: h100,h200 (default: any)", "model,…");
    private readonly Option<uint?> _gpuMemory = Scaled("--gpu-memory", "Least memory of a GPU: 80GiB (default: any)", "size", Amount.TryMiB);
    private readonly Option<int?> _nic = Values.Count("--nic", "Network bandwidth of each replica, Mbit/s (default: none promised)", 1, 100_000_000);
    private readonly Option<string?> _mig = new("--mig") { Description = "A partition of a GPU instead: 2g.20gb", HelpName = "profile" };
    private readonly Option<int?> _replicas = Values.Count("--replicas", "Members that start together (default: 1)", 1, 10_000);
    private readonly Option<int?> _min = Values.Count("--min-replicas", "Fewest members that are of use (default: all)", 1, 10_000);
    private readonly Option<TopologyChoice?> _within = Values.Choice<TopologyChoice>("--within", null, "All members within one", "level");
    private readonly Option<int?> _maxPerNode = Values.Count("--max-per-node", "Most members on one node (default: no limit)", 1, 10_000);
    private readonly Option<string[]> _avoid = Names("--avoid", "Jobs whose nodes are avoided", "job,…");
    private readonly Option<int?> _priority = Values.Count("--priority", "Larger is more important (default: 0)", 0, 1_000_000);
    private readonly Option<string?> _tenant = new("--tenant") { Description = "Who pays", HelpName = "name" };
    private readonly Option<TimeSpan?> _expected = Values.Duration("--expected", "How long it will run (default: unknown)");
    private readonly Option<TimeSpan?> _checkpoint = Values.Duration("--checkpoint-every", "Distance of its checkpoints (default: it has none)");
    private readonly Option<double?> _bid = Bid();
    private readonly Option<bool> _preempt = new("--preempt") { Description = "May stop jobs of lower priority" };
    private readonly Option<int?> _moves = Values.Count("--moves", "Replicas of others that may move to make room (default: none)", 0, 1000);
    private readonly Option<string?> _policy = new("--policy") { Description = $"How to choose: {string.Join(", ", Policies)} (default: auto)", HelpName = "name" };

    public void AddTo(Command command)
    {
        _job.Validators.Add(ParseFailure.RefuseOption);
        _policy.CompletionSources.Add(Policies);
        command.Add(_job);
        foreach (Option option in (Option[])[_gpus, _gpuMilli, _cpu, _memory, _model, _gpuMemory, _nic, _mig, _replicas, _min, _within, _maxPerNode, _avoid, _priority, _tenant, _expected, _checkpoint, _bid, _preempt, _moves, _policy])
        {
            command.Add(option);
        }
    }

    public JobRequest Read(ParseResult parse)
    {
        JobRequest request = new()
        {
            Job = parse.GetRequiredValue(_job),
            CpuMilli = parse.GetValue(_cpu) ?? 0,
            MemoryMib = parse.GetValue(_memory) ?? 0,
            Gpus = (uint)(parse.GetValue(_gpus) ?? 0),
            GpuMilli = (uint)(parse.GetValue(_gpuMilli) ?? 0),
            MinGpuMemoryMib = parse.GetValue(_gpuMemory) ?? 0,
            NicMbps = (uint)(parse.GetValue(_nic) ?? 0),
            MigProfile = parse.GetValue(_mig) ?? "",
            Replicas = (uint)(parse.GetValue(_replicas) ?? 1),
            MinReplicas = (uint)(parse.GetValue(_min) ?? 0),
            Required = parse.GetValue(_within) switch
            {
                TopologyChoice.Host => TopologyLevel.Host,
                TopologyChoice.Nvlink => TopologyLevel.NvlinkDomain,
                TopologyChoice.Rack => TopologyLevel.Rack,
                TopologyChoice.Leaf => TopologyLevel.Leaf,
                _ => TopologyLevel.Unspecified,
            },
            MaxPerNode = (uint)(parse.GetValue(_maxPerNode) ?? 0),
            Priority = parse.GetValue(_priority) ?? 0,
            Tenant = parse.GetValue(_tenant) ?? "",
            ExpectedMs = (ulong)(parse.GetValue(_expected)?.TotalMilliseconds ?? 0),
            CheckpointEveryMs = (ulong)(parse.GetValue(_checkpoint)?.TotalMilliseconds ?? 0),
            MayPreempt = parse.GetValue(_preempt),
            MoveBudget = (uint)(parse.GetValue(_moves) ?? 0),
            Policy = parse.GetValue(_policy) ?? "",
        };
        request.Models.AddRange(parse.GetValue(_model) ?? []);
        request.AvoidJobs.AddRange(parse.GetValue(_avoid) ?? []);
        if (parse.GetValue(_bid) is { } bid) request.BidPerGpuHour = bid;
        return request;
    }

    internal static Option<string[]> Names(string name, string description, string helpName) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
    };

    private static Option<double?> Bid() => new("--bid")
    {
        Description = "Offered per GPU-hour; refused below the opportunity cost (default: not an auction)",
        HelpName = "money",
        CustomParser = result =>
        {
            if (double.TryParse(result.Tokens[0].Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double bid)) return bid;
            result.AddError($"--bid: '{result.Tokens[0].Value}' is no amount of money");
            return null;
        },
    };

    private delegate bool TryParse(string text, out uint amount);

    private static Option<uint?> Scaled(string name, string description, string helpName, TryParse parse) => new(name)
    {
        Description = description,
        HelpName = helpName,
        CustomParser = result =>
        {
            if (parse(result.Tokens[0].Value, out uint amount)) return amount;
            result.AddError($"{name}: '{result.Tokens[0].Value}' cannot be read. Write {description.Split(": ")[1].Split(" (")[0]}");
            return null;
        },
    };

    private enum TopologyChoice
    {
        Host,
        Nvlink,
        Rack,
        Leaf,
    }
}
