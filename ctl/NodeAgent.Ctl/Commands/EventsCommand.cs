using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl events</c>: newest first; with --follow each new one after them, as it arrives.</summary>
internal static class EventsCommand
{
    // The kinds of telemetry.proto; others may come, so they only complete and do not restrict.
    private static readonly string[] Kinds = ["oom_kill", "machine_check", "edac", "link_up", "link_down", "clock_step", "sampler_failed"];

    /// <summary>Values of --severity.</summary>
    internal enum Least
    {
        Any,
        Info,
        Warning,
        Error,
        Critical,
    }

    public static Command Build(CommandRunner run)
    {
        Option<string?> node = new("--node") { Description = "Only this node's", HelpName = "name" };
        node.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<string[]> kind = new("--kind") { Description = "Only these kinds; may be repeated", HelpName = "kind" };
        kind.CompletionSources.Add(Kinds);
        Option<Least?> severity = Values.Choice<Least>("--severity", null, "At least this severe", "severity");
        Option<string?> since = new("--since") { Description = "Not older than this: 1h, 2026-11-21T09:00:00Z", HelpName = "time" };
        Option<int?> limit = Values.Count("--limit", "At most this many past events (default: 100)", 1, 1_000_000);
        Option<bool> follow = new("--follow", "-f") { Description = "Stay and print new events as they arrive" };

        Command command = new("events", "List events: OOM kills, machine checks, link changes, …") { node, kind, severity, since, limit, follow };
        run.On(command, async (context, cancellation) =>
        {
            ListEventsRequest request = new()
            {
                Node = context.Parse.GetValue(node) ?? "",
                MinSeverity = (Severity)(int)(context.Parse.GetValue(severity) ?? Least.Any),
                Limit = (uint)(context.Parse.GetValue(limit) ?? 0),
                Follow = context.Parse.GetValue(follow),
            };
            request.Kinds.AddRange(context.Parse.GetValue(kind) ?? []);
            if (context.Parse.GetValue(since) is { } moment) request.SinceUnixMs = await ServerClock.ParseAsync("--since", moment, context, cancellation).ConfigureAwait(false);

            if (request.Follow) await Follow(request, context, cancellation).ConfigureAwait(false);
            else await List(request, context, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task List(ListEventsRequest request, CommandContext context, CancellationToken cancellation)
    {
        List<EventItem> items = [];
        await foreach (ListEventsResponse answer in context.Fleet.ListEventsAsync(request, cancellation).ConfigureAwait(false)) items.Add(EventItem.From(answer));
        context.Printer.List(EventListing.Events, items);
        uint limit = request.Limit == 0 ? 100 : request.Limit;
        if (items.Count == limit) context.Note($"stopped at the limit of {limit}; older events may exist");
    }

    private static async Task Follow(ListEventsRequest request, CommandContext context, CancellationToken cancellation)
    {
        StreamPrinter<EventItem> printer = context.Printer.Stream(EventListing.Events);
        await foreach (ListEventsResponse answer in context.Fleet.ListEventsAsync(request, cancellation).ConfigureAwait(false)) printer.Item(EventItem.From(answer));
    }
}
