using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl plan drain|rebalance|room</c>: moves, in order; done in the books only with --apply.</summary>
internal static class PlanCommand
{
    public static Command Build(CommandRunner run) => new("plan", "Plan moves: empty a node, improve the fleet, make room") { Drain(run), Rebalance(run), Room(run) };

    private static Command Drain(CommandRunner run)
    {
        Argument<string> node = new("node") { HelpName = "NODE", Description = "The node to empty" };
        node.Validators.Add(ParseFailure.RefuseOption);
        node.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<int?> budget = Values.Count("--budget", "Most moves (default: no limit)", 1, 1_000_000);
        Command command = new("drain", "Empty a node; with --apply it also takes no new work") { node, budget };
        On(run, command, async (context, isApplied, cancellation) =>
        {
            string name = context.Parse.GetRequiredValue(node);

            // First closed, then emptied: what is placed in between would stay.
            if (isApplied) await context.Fleet.CordonAsync(new CordonRequest { Node = name, Cordoned = true }, cancellation).ConfigureAwait(false);
            return await context.Fleet.PlanDrainAsync(new PlanDrainRequest { Node = name, Budget = (uint)(context.Parse.GetValue(budget) ?? 0) }, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static Command Rebalance(CommandRunner run)
    {
        Option<int?> price = Values.Count("--move-price", "GPU thousandths that each move must bring (default: 100)", 1, 1_000_000);
        Option<int?> budget = Values.Count("--budget", "Most moves (default: 50)", 1, 1_000_000);
        Option<int?> steps = Values.Count("--steps", "Moves tried (default: 2000)", 1, 1_000_000);
        Command command = new("rebalance", "Move what is better elsewhere by more than a price") { price, budget, steps };
        On(run, command, (context, _, cancellation) => context.Fleet.PlanRebalanceAsync(new PlanRebalanceRequest
        {
            MovePriceMilli = context.Parse.GetValue(price) ?? 0,
            Budget = (uint)(context.Parse.GetValue(budget) ?? 0),
            Steps = (uint)(context.Parse.GetValue(steps) ?? 0),
        }, cancellation));
        return command;
    }

    private static Command Room(CommandRunner run)
    {
        JobOptions job = new();
        Option<int?> budget = Values.Count("--budget", "Most moves (default: 64)", 1, 1_000_000);
        Command command = new("room", "Make room for a job by moving others") { budget };
        job.AddTo(command);
        On(run, command, (context, _, cancellation) => context.Fleet.PlanRoomAsync(
            new PlanRoomRequest { Request = job.Read(context.Parse), Budget = (uint)(context.Parse.GetValue(budget) ?? 0) }, cancellation));
        return command;
    }

    private static void On(CommandRunner run, Command command, Func<CommandContext, bool, CancellationToken, Task<MovePlan>> plan)
    {
        Option<bool> apply = new("--apply") { Description = "Carry it out in the books, all of it or nothing" };
        Option<bool> dryRun = new("--dry-run") { Description = "Only show it (the default)" };
        command.Add(apply);
        command.Add(dryRun);
        command.Validators.Add(result =>
        {
            if (result.GetValue(apply) && result.GetValue(dryRun)) result.AddError("--apply and --dry-run exclude each other");
        });
        run.On(command, async (context, cancellation) =>
        {
            bool isApplied = context.Parse.GetValue(apply);
            MovePlan answer = await plan(context, isApplied, cancellation).ConfigureAwait(false);
            context.Printer.List(PlanListing.Moves, [.. answer.Moves.Select(MoveItem.Of)], PlanListing.About(answer));
            if (context.Printer.ForPeople)
            {
                context.Warn(answer.Summary);
                if (answer.Unplaced.Count > 0) context.Warn($"no place for {string.Join(", ", answer.Unplaced)}");
            }

            if (isApplied && answer.Moves.Count > 0)
            {
                ApplyResponse done = await context.Fleet.ApplyAsync(new ApplyRequest { Plan = answer }, cancellation).ConfigureAwait(false);
                context.Warn($"{done.Moved} moves are in the books");
            }

            return answer.Complete ? ExitCode.Ok : ExitCode.Failure;
        });
    }
}
