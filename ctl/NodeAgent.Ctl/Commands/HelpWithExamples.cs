using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace NodeAgent.Ctl.Commands;

/// <summary>The library's help, then examples: most people look for those first.</summary>
internal sealed class HelpWithExamples(HelpAction inner) : SynchronousCommandLineAction
{
    private static readonly Dictionary<string, string[]> Examples = new(StringComparer.Ordinal)
    {
        ["nodectl"] =
        [
            "nodectl nodes                                  every node and how fresh it is",
            "nodectl top                                    the fleet, live",
            "nodectl query 'node_load1' --range 1h --plot   a plot in the terminal",
            "nodectl doctor                                 why does it not connect?",
        ],
        ["nodes"] = ["nodectl nodes", "nodectl nodes 'gpu-.*' --state down,late", "nodectl nodes -o json"],
        ["node"] = ["nodectl node gpu-01", "nodectl node gpu-01 -o json"],
        ["series"] = ["nodectl series", "nodectl series 'node_cpu_seconds_total{mode=\"idle\"}'", "nodectl series '{node=\"gpu-01\"}' --limit 20"],
        ["query"] =
        [
            "nodectl query node_load1",
            "nodectl query 'sum by (node) (rate(node_network_receive_bytes_total[1m]))' --top 5",
            "nodectl query 'node_memory_MemAvailable_bytes{node=\"gpu-01\"}' --range 1h --step 1m",
            "nodectl query 'avg by (node) (node_load1)' --range 30m --plot",
        ],
        ["top"] = ["nodectl top", "nodectl top --sort mem --interval 5s", "nodectl top --once -o json"],
        ["watch"] = ["nodectl watch 'node_load1{node=\"gpu-01\"}'", "nodectl watch 'node_load1' --interval 10s -o jsonl"],
        ["events"] = ["nodectl events --since 1h", "nodectl events --kind oom_kill --kind machine_check", "nodectl events --follow -o jsonl"],
        ["incidents"] = ["nodectl incidents", "nodectl incidents --watch -o jsonl", "nodectl incidents --all --cause throttle-thermal"],
        ["incident"] = ["nodectl incident 17", "nodectl incident 17 --around 1h"],
        ["silence"] = ["nodectl silence --node gpu-02 --for 4h --reason 'the fan comes on Tuesday'", "nodectl silence --cause power-capped --for 7d --reason 'capped on purpose'"],
        ["detect"] = ["nodectl detect --selector '{node=\"gpu-01\"}' --from 6h", "nodectl detect --selector '{node=~\"gpu-.*\"}' --from 1d --counts"],
        ["forecast"] = ["nodectl forecast 'node_filesystem_avail_bytes{mountpoint=\"/\"}' --limit 0", "nodectl forecast gpu_temperature_celsius --limit 85 --horizon 3d", "nodectl forecast --fleet"],
        ["place"] =
        [
            "nodectl place train-7 --gpus 8 --cpu 64 --memory 512GiB --model h100",
            "nodectl place train-8 --gpus 8 --replicas 4 --moves 5 --dry-run",
            "nodectl place notebook --gpus 1 --gpu-milli 250 --format slurm",
            "nodectl place bind-me --gpus 2 --format k8s       a ranking, nothing is held",
        ],
        ["jobs"] = ["nodectl jobs", "nodectl jobs train-7 -o json"],
        ["drain"] = ["nodectl plan drain gpu-01", "nodectl plan drain gpu-01 --apply"],
        ["what-if"] = ["nodectl what-if train-9 --gpus 8 --add-nodes gpu-01:4", "nodectl what-if train-9 --gpus 8 --replicas 2 --compare"],
        ["usage"] = ["nodectl usage --from 30d --by node --price 2.10", "nodectl usage --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z --by name -o csv"],
        ["backup"] = ["nodectl backup", "nodectl backup before-upgrade --directory --link"],
        ["bundle"] = ["nodectl bundle", "sudo nodectl bundle /tmp/for-support.tar.gz       with this host's journal"],
        ["init"] = ["nodectl fleet init ./lab --name lab --server-name aggregator.lab,10.0.0.5"],
        ["issue"] = ["nodectl fleet issue ./lab agent gpu-01", "nodectl fleet issue ./lab viewer grafana --days 365"],
        ["completion"] = ["source <(nodectl completion bash)", "nodectl completion fish > ~/.config/fish/completions/nodectl.fish"],
    };

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int code = inner.Invoke(parseResult);
        Command command = parseResult.CommandResult.Command;
        string name = command is RootCommand ? "nodectl" : command.Name;
        if (!Examples.TryGetValue(name, out string[]? lines)) return code;

        TextWriter output = parseResult.InvocationConfiguration.Output;
        output.WriteLine("Examples:");
        foreach (string line in lines) output.WriteLine("  " + line);
        output.WriteLine();
        return code;
    }
}
