using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl incidents [--watch]</c>: what is wrong now, and every change as it happens.</summary>
internal static class IncidentsCommand
{
    public static Command Build(CommandRunner run)
    {
        Option<string?> node = new("--node") { Description = "Only those about this node", HelpName = "name" };
        node.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<string?> cause = new("--cause") { Description = "Only those with this cause among their findings: throttle-thermal, xid-79", HelpName = "cause" };
        Option<bool> all = new("--all", "-a") { Description = "Also silenced ones and the last that are over" };
        Option<bool> silences = new("--silences") { Description = "List the silences in force instead" };
        Option<int?> limit = Values.Count("--limit", "At most this many (default: 1000)", 1, 10_000);
        Option<bool> watch = new("--watch", "-w") { Description = "Stay and print every change as it happens" };
        Command command = new("incidents", "What is wrong in the fleet, why, and what to do") { node, cause, all, silences, limit, watch };
        command.Validators.Add(result =>
        {
            if (result.GetValue(watch) && (result.GetValue(all) || result.GetValue(silences) || result.GetValue(cause) is not null)) result.AddError("--watch goes with --node only");
        });
        run.On(command, async (context, cancellation) =>
        {
            if (context.Parse.GetValue(silences)) await Silences(context, cancellation).ConfigureAwait(false);
            else if (context.Parse.GetValue(watch)) await Watch(context.Parse.GetValue(node) ?? "", context, cancellation).ConfigureAwait(false);
            else
            {
                bool everything = context.Parse.GetValue(all);
                await List(
                    new ListIncidentsRequest
                    {
                        Node = context.Parse.GetValue(node) ?? "",
                        Cause = context.Parse.GetValue(cause) ?? "",
                        IncludeSilenced = everything,
                        IncludeResolved = everything,
                        Limit = (uint)(context.Parse.GetValue(limit) ?? 0),
                    },
                    context, cancellation).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static async Task List(ListIncidentsRequest request, CommandContext context, CancellationToken cancellation)
    {
        ListIncidentsResponse answer = await context.Fleet.ListIncidentsAsync(request, cancellation).ConfigureAwait(false);
        context.Printer.List(IncidentListing.List(answer.WallUnixMs), [.. answer.Incidents.Select(IncidentItem.From)]);
        if (answer.Total > answer.Incidents.Count) context.Warn($"{answer.Total} match; {answer.Incidents.Count} are listed");
    }

    private static async Task Silences(CommandContext context, CancellationToken cancellation)
    {
        ListSilencesResponse answer = await context.Fleet.ListSilencesAsync(new ListSilencesRequest(), cancellation).ConfigureAwait(false);
        context.Printer.List(IncidentListing.Silences, [.. answer.Silences.Select(SilenceItem.From)]);
    }

    private static async Task Watch(string node, CommandContext context, CancellationToken cancellation)
    {
        StreamPrinter<IncidentItem> printer = context.Printer.Stream(IncidentListing.Watched);
        await foreach (IncidentUpdate update in context.Fleet.WatchIncidentsAsync(new WatchIncidentsRequest { Node = node }, cancellation).ConfigureAwait(false))
        {
            if (update.Missed > 0) context.Warn($"{update.Missed} changes were missed; this is what is there now");
            printer.Item(IncidentItem.From(update));
        }
    }
}
