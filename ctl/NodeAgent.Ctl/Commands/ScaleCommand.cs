using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl scale</c>: which nodes would pay, by what was refused.</summary>
internal static class ScaleCommand
{
    public static Command Build(CommandRunner run)
    {
        Option<TimeSpan?> window = Values.Duration("--window", "Refusals of this long up to now (default: 1d)");
        Option<bool> dryRun = new("--dry-run") { Description = "No difference: this is advice" };
        Command command = new("scale", "Which more nodes refused jobs would pay for") { window, dryRun };
        run.On(command, async (context, cancellation) =>
        {
            AdviseScaleResponse answer = await context.Fleet.AdviseScaleAsync(
                new AdviseScaleRequest { WindowMs = (ulong)(context.Parse.GetValue(window)?.TotalMilliseconds ?? 0) }, cancellation).ConfigureAwait(false);
            context.Printer.List(AdviceListing.Advice, [.. answer.Advice.Select(AdviceItem.From)]);
        });
        return command;
    }
}
