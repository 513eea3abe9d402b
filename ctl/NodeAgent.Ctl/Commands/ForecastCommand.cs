using System.CommandLine;
using System.Globalization;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl forecast SELECTOR --limit X</c>: when series cross a line; <c>--fleet</c>: when the fleet runs out of something.</summary>
internal static class ForecastCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> selector = new("selector") { HelpName = "SELECTOR", Description = "Series: node_filesystem_avail_bytes{mountpoint=\"/\"}", Arity = ArgumentArity.ZeroOrOne };
        Option<double?> limit = new("--limit")
        {
            Description = "The line, in the metric's unit: 0 for free bytes, 85 for degrees",
            HelpName = "number",
            CustomParser = result =>
            {
                if (double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value)) return value;
                result.AddError($"--limit: '{result.Tokens[0].Value}' is no number");
                return null;
            },
        };
        Option<TimeSpan?> horizon = Values.Duration("--horizon", "How far to look ahead (default: 7d, with --fleet 30d)");
        Option<bool> fleet = new("--fleet") { Description = "When the fleet as a whole runs out of GPUs, memory, processors or disk" };
        Option<bool> plain = new("--no-plot") { Description = "Without the plot of the first series" };
        Option<int?> most = Values.Count("--most", "At most this many series, those that cross first (default: 20)", 1, 1_000);
        Command command = new("forecast", "When series cross a limit, with how sure that is") { selector, limit, horizon, fleet, plain, most };
        command.Validators.Add(result =>
        {
            if (result.GetValue(selector) is null != result.GetValue(fleet)) result.AddError("give either a selector or --fleet");
        });
        run.On(command, async (context, cancellation) =>
        {
            ulong ahead = (ulong)(context.Parse.GetValue(horizon)?.TotalMilliseconds ?? 0);
            if (context.Parse.GetValue(fleet)) await Fleet(ahead, context, cancellation).ConfigureAwait(false);
            else
            {
                ForecastRequest request = new() { Selector = context.Parse.GetRequiredValue(selector)!, HorizonMs = ahead, Most = (uint)(context.Parse.GetValue(most) ?? 0) };
                if (context.Parse.GetValue(limit) is { } line) request.Limit = line;
                await Series(request, !context.Parse.GetValue(plain), context, cancellation).ConfigureAwait(false);
            }
        });
        return command;
    }

    private static async Task Series(ForecastRequest request, bool withPlot, CommandContext context, CancellationToken cancellation)
    {
        ForecastResponse answer = await context.Fleet.ForecastAsync(request, cancellation).ConfigureAwait(false);
        ForecastItem[] items = [.. answer.Series.Select(series => ForecastItem.From(series, request.HasLimit ? request.Limit : null))];
        context.Printer.List(ForecastListing.List, items);
        if (withPlot && context.Printer.Format == OutputFormat.Table && items is [{ Problem: null } first, ..])
        {
            context.World.Out.WriteLine();
            context.Printer.Lines(ForecastListing.Plot(first, answer.WallUnixMs, context.Printer.Width));
        }

        if (answer.Total > items.Length) context.Warn($"{answer.Total} series match; the {items.Length} that cross first are listed");
    }

    private static async Task Fleet(ulong ahead, CommandContext context, CancellationToken cancellation)
    {
        ForecastCapacityResponse answer = await context.Fleet.ForecastCapacityAsync(new ForecastCapacityRequest { HorizonMs = ahead }, cancellation).ConfigureAwait(false);
        context.Printer.List(ForecastListing.List, [.. answer.Rows.Select(row => ForecastItem.From(row.Forecast ?? new SeriesForecast(), row.Limit, row.Resource))]);
    }
}
