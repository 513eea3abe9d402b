using System.CommandLine;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl detect --selector S --from T --to T</c>: rules and detectors over what is stored, as if it came now.</summary>
internal static class DetectCommand
{
    public static Command Build(CommandRunner run)
    {
        Option<string> selector = new("--selector") { Description = "Series to look at: {node=\"n1\"}", HelpName = "SELECTOR", Required = true };
        Option<string?> from = new("--from") { Description = "Start of the time: 6h (ago), 2026-11-21T09:00:00Z (default: 1h before --to)", HelpName = "time" };
        Option<string?> to = new("--to") { Description = "End of the time (default: now)", HelpName = "time" };
        Option<bool> counts = new("--counts") { Description = "Findings by cause instead of incidents" };
        Command command = new("detect", "Look back: what would have been found in stored samples") { selector, from, to, counts };
        run.On(command, async (context, cancellation) =>
        {
            DetectRequest request = new() { Selector = context.Parse.GetRequiredValue(selector) };
            if (context.Parse.GetValue(from) is { } start) request.FromUnixMs = await ServerClock.ParseAsync("--from", start, context, cancellation).ConfigureAwait(false);
            if (context.Parse.GetValue(to) is { } end) request.ToUnixMs = await ServerClock.ParseAsync("--to", end, context, cancellation).ConfigureAwait(false);
            DetectResponse answer = await context.Fleet.DetectAsync(request, cancellation).ConfigureAwait(false);
            if (context.Parse.GetValue(counts)) context.Printer.List(FindingCountItem.Listing, [.. answer.Findings.Select(FindingCountItem.From)]);
            else context.Printer.List(IncidentListing.List(answer.ToUnixMs), [.. answer.Incidents.Select(IncidentItem.From)]);

            context.Note($"{answer.Series} series, {Human.Grouped(answer.Samples)} samples from {MomentText.DateAndClock(answer.FromUnixMs)} to {MomentText.DateAndClock(answer.ToUnixMs)} UTC; "
                + $"{answer.Findings.Sum(kind => kind.Findings)} findings made {answer.Incidents.Count} incidents");
        });
        return command;
    }
}
