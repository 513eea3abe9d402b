using System.CommandLine;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Top;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl top</c>: the fleet, live; one table when nobody can see it move.</summary>
internal static class TopCommand
{
    // Samples come every second; two of them are enough for a rate, ten make it calm.
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan DefaultWindow = TimeSpan.FromSeconds(15);

    public static Command Build(CommandRunner run)
    {
        Argument<string?> pattern = new("pattern") { HelpName = "PATTERN", Description = "Only nodes whose whole name matches this regular expression", Arity = ArgumentArity.ZeroOrOne };
        pattern.Validators.Add(ParseFailure.RefuseOption);
        Option<TopSort?> sort = Values.Choice<TopSort>("--sort", null, "Order by", "column");
        Option<bool> reverse = new("--reverse", "-r") { Description = "Smallest first" };
        Option<TimeSpan?> interval = Values.Duration("--interval", "Time between two refreshes (default: 2s)");
        Option<TimeSpan?> window = Values.Duration("--window", "Rates are taken over this time (default: 15s); at least twice the agents' interval");
        Option<bool> once = new("--once", "-1") { Description = "Print one table and end; also when the output is no terminal" };

        Command command = new("top", "Watch the fleet live: processor, memory, load, network, disks, pressure") { pattern, sort, reverse, interval, window, once };
        run.On(command, async (context, cancellation) =>
        {
            TopSource source = new(context.Fleet, context.Parse.GetValue(window) ?? DefaultWindow, context.Parse.GetValue(pattern) ?? "");
            ITerminal terminal = context.World.Terminal;
            bool live = !context.Parse.GetValue(once) && terminal.OutputIsTerminal && terminal.InputIsTerminal && context.Printer.Format == OutputFormat.Table;
            TopSort order = context.Parse.GetValue(sort) ?? TopSort.Cpu;
            if (!live)
            {
                TopSnapshot snapshot = await source.FetchAsync(cancellation).ConfigureAwait(false);
                context.Printer.List(TopListing.For(order), TopOrder.By(snapshot.Items, order, context.Parse.GetValue(reverse)), About.At(snapshot.AtUnixMs));
                return;
            }

            TopModel model = new(context.Settings.Server.Authority, context.Parse.GetValue(interval) ?? DefaultInterval, order, context.Parse.GetValue(reverse));
            await new TopSession(model, source, context.World, context.Printer.Colour).RunAsync(cancellation).ConfigureAwait(false);
        });
        return command;
    }
}
