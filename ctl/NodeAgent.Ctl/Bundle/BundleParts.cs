using System.Diagnostics;
using NodeAgent.Ctl.Commands;
using NodeAgent.Ctl.Doctor;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Bundle;

/// <summary>What goes into a bundle: what doctor finds, what the aggregator says, and what this host has of ours. Never a key, never samples.</summary>
internal sealed class BundleParts(CommandContext context)
{
    private const int Events = 1_000;

    // Configuration, which is redacted like everything else, and what kind of machine it is.
    private static readonly string[] HostFiles =
    [
        "etc/nodeagent/nodeagent.json", "etc/nodeagent/aggregator.json", "etc/nodeagent/policy.json", "etc/os-release", "proc/version", "proc/meminfo", "proc/loadavg",
        "proc/mounts", "proc/driver/nvidia/version",
    ];

    private static readonly string[] Units = ["nodeagent", "nodeagent-actuator", "nodeagent-aggregator"];

    private static readonly TimeSpan ToolLimit = TimeSpan.FromSeconds(20);

    public IEnumerable<BundlePart> All() =>
    [
        new("doctor.json", async cancellation => JsonText.List("CheckList",
            [.. await new Examination(context.World, context.Flags).RunAsync(cancellation).ConfigureAwait(false), .. new HostExamination(context.World.HostRoot, context.World.Time).Run()], CtlJson.Default.CheckItem)),
        new("status.json", async cancellation => JsonText.Single("Status", StatusItem.From(await context.Fleet.GetStatusAsync(new GetStatusRequest(), cancellation).ConfigureAwait(false), context.Settings.Server.Authority), CtlJson.Default.StatusItem)),
        new("nodes.json", NodesAsync),
        new("events.txt", EventsAsync),
        .. Host(),
    ];

    private IEnumerable<BundlePart> Host()
    {
        string root = context.World.HostRoot;
        foreach (string file in HostFiles.Concat(DropIns(root, "nodeagent.d")).Concat(DropIns(root, "aggregator.d")))
        {
            if (File.Exists(Path.Combine(root, file)))
            {
                yield return new BundlePart($"host/{file}", cancellation => File.ReadAllTextAsync(Path.Combine(root, file), cancellation));
            }
        }

        if (OperatingSystem.IsLinux() && root == "/" && Directory.Exists("/run/systemd/system"))
        {
            foreach (string unit in Units)
            {
                yield return new BundlePart($"host/journal/{unit}.log", cancellation => ToolAsync("journalctl", ["--no-pager", "-o", "short-iso-precise", "-n", "5000", "-u", unit], cancellation));
                yield return new BundlePart($"host/units/{unit}.txt", cancellation => ToolAsync("systemctl", ["--no-pager", "show", unit], cancellation));
            }
        }
    }

    private static IEnumerable<string> DropIns(string root, string folder)
    {
        string path = Path.Combine(root, "etc/nodeagent", folder);
        return !Directory.Exists(path) ? [] : Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal).Select(file => Path.GetRelativePath(root, file));
    }

    private async Task<string> NodesAsync(CancellationToken cancellation)
    {
        ListNodesResponse answer = await context.Fleet.ListNodesAsync(new ListNodesRequest(), cancellation).ConfigureAwait(false);
        return JsonText.List("NodeList", [.. answer.Nodes.Select(node => NodeItem.From(node, answer.WallUnixMs))], CtlJson.Default.NodeItem, About.At(answer.WallUnixMs));
    }

    private async Task<string> EventsAsync(CancellationToken cancellation)
    {
        using StringWriter text = new() { NewLine = "\n" };
        await foreach (ListEventsResponse entry in context.Fleet.ListEventsAsync(new ListEventsRequest { Limit = Events }, cancellation).ConfigureAwait(false))
        {
            await text.WriteLineAsync($"{entry.Node} {entry.Event}").ConfigureAwait(false);
        }

        return text.ToString();
    }

    private async Task<string> ToolAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process tool = Process.Start(start)!;
        using CancellationTokenSource limit = new(ToolLimit, context.World.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        try
        {
            Task<string> error = tool.StandardError.ReadToEndAsync(both.Token);
            string output = await tool.StandardOutput.ReadToEndAsync(both.Token).ConfigureAwait(false);
            await tool.WaitForExitAsync(both.Token).ConfigureAwait(false);
            return tool.ExitCode == 0 ? output : $"{program} ended with {tool.ExitCode}\n{await error.ConfigureAwait(false)}{output}";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            tool.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end within {ToolLimit.TotalSeconds:0} s");
        }
    }
}
