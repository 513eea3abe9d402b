using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl status</c>.</summary>
internal static class StatusCommand
{
    public static Command Build(CommandRunner run)
    {
        Command command = new("status", "Show the aggregator's own state");
        run.On(command, async (context, cancellation) =>
        {
            GetStatusResponse answer = await context.Fleet.GetStatusAsync(new GetStatusRequest(), cancellation).ConfigureAwait(false);
            StatusItem item = StatusItem.From(answer, context.Settings.Server.Authority);
            context.Printer.Single(StatusView.Listing, item, () => StatusView.Render(item, context.Printer.Width));
        });
        return command;
    }
}
