using System.CommandLine;
using System.Globalization;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl usage</c>: what GPUs were used for, by node, label or job.</summary>
internal static class UsageCommand
{
    public static Command Build(CommandRunner run)
    {
        Option<string?> from = new("--from") { Description = "Start of the time: 7d (ago), 2026-11-01T00:00:00Z (default: 24h before --to)", HelpName = "time" };
        Option<string?> to = new("--to") { Description = "End of the time (default: now)", HelpName = "time" };
        Option<string?> by = new("--by") { Description = "Label that names the rows, or job (default: node)", HelpName = "label" };
        Option<double?> price = Number("--price", "Price of a GPU hour, for idle costs (default: the aggregator's usage.gpu_hour_price)", 0, 1_000_000);
        Option<double?> idle = Number("--idle-below", "Mean utilisation below which a GPU is idle, 0 to 1 (default: the aggregator's usage.idle_below_ratio)", 0, 1);
        Command command = new("usage", "GPU hours, utilisation, idle cost and energy over a time") { from, to, by, price, idle };
        run.On(command, async (context, cancellation) =>
        {
            UsageRequest request = new() { By = context.Parse.GetValue(by) ?? "" };
            if (context.Parse.GetValue(from) is { } start) request.FromUnixMs = await ServerClock.ParseAsync("--from", start, context, cancellation).ConfigureAwait(false);
            if (context.Parse.GetValue(to) is { } end) request.ToUnixMs = await ServerClock.ParseAsync("--to", end, context, cancellation).ConfigureAwait(false);
            if (context.Parse.GetValue(price) is { } hour) request.GpuHourPrice = hour;
            if (context.Parse.GetValue(idle) is { } below) request.IdleBelowRatio = below;

            UsageResponse answer = await context.Fleet.UsageAsync(request, cancellation).ConfigureAwait(false);
            List<UsageItem> items = [.. answer.Entries.Select(entry => UsageItem.From(entry, answer, isTotal: false))];
            if (context.Printer.ForPeople && items.Count > 1) items.Add(UsageItem.From(answer.Total, answer, isTotal: true));
            context.Printer.List(UsageListing.For(answer), items, json => UsageListing.About(json, answer));
        });
        return command;
    }

    private static Option<double?> Number(string name, string description, double least, double most) => new(name)
    {
        Description = description,
        HelpName = "number",
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value) && value >= least && value <= most) return value;
            result.AddError($"{name}: '{text}' is no number from {least.ToString(CultureInfo.InvariantCulture)} to {most.ToString(CultureInfo.InvariantCulture)}");
            return null;
        },
    };
}
