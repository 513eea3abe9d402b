using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl incident ID</c>, also <c>nodectl explain incident ID</c>: what was expected and seen, likely causes, impact, what to do, with plots.</summary>
internal static class IncidentCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<ulong> id = Id();
        Option<TimeSpan?> around = Values.Duration("--around", "Samples so long before and after (default: 10m)");
        Option<bool> plain = new("--no-plot") { Description = "Without plots" };
        Command command = new("incident", "Explain one incident: evidence, likely causes, impact, what to do") { id, around, plain };
        run.On(command, async (context, cancellation) =>
        {
            ExplainRequest request = new() { Id = context.Parse.GetRequiredValue(id), AroundMs = (ulong)(context.Parse.GetValue(around)?.TotalMilliseconds ?? 0) };
            ExplainResponse answer = await context.Fleet.ExplainAsync(request, cancellation).ConfigureAwait(false);
            ExplanationItem item = ExplanationItem.From(answer);
            context.Printer.Single(IncidentView.Listing, item, () => IncidentView.Render(item, answer.WallUnixMs, context.Printer.Width, !context.Parse.GetValue(plain)));
        });
        return command;
    }

    internal static Argument<ulong> Id(string what = "The incident's number") => new("id") { HelpName = "ID", Description = what };
}
