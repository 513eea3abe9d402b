using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl rollouts [ROLLOUT]</c>, <c>cancel</c>, <c>halt</c>.</summary>
internal static class RolloutsCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> id = new("rollout") { HelpName = "ROLLOUT", Description = "Only this one, with each node's result", Arity = ArgumentArity.ZeroOrOne };
        Option<bool> follow = new("--follow") { Description = "Until it ends" };
        Command command = new("rollouts", "List commands on their way, and those that have ended") { id, follow };
        run.On(command, async (context, cancellation) =>
        {
            if (context.Parse.GetValue(id) is { } one)
            {
                WatchRolloutRequest request = new() { RolloutId = RolloutFollow.ParseId(one) };
                await using IAsyncEnumerator<Rollout> stream = context.Fleet.WatchRolloutAsync(request, cancellation).GetAsyncEnumerator(cancellation);
                await stream.MoveNextAsync().ConfigureAwait(false);
                return await RolloutFollow.ShowAsync(context, stream.Current, !context.Parse.GetValue(follow), cancellation).ConfigureAwait(false);
            }

            ListRolloutsResponse answer = await context.Fleet.ListRolloutsAsync(new ListRolloutsRequest(), cancellation).ConfigureAwait(false);
            if (answer.Halt is { Halted: true } halt) context.Warn($"commands are halted by {halt.By}: {halt.Reason}");
            context.Printer.List(RolloutListing.Rollouts, [.. answer.Rollouts.Select(RolloutItem.From)]);
            return ExitCode.Ok;
        });
        return command;
    }

    public static Command BuildCancel(CommandRunner run)
    {
        Argument<string> id = new("rollout") { HelpName = "ROLLOUT", Description = "The rollout's id" };
        id.Validators.Add(ParseFailure.RefuseOption);
        Option<string?> reason = new("--reason") { Description = "Why, for the audit", HelpName = "text" };
        Command command = new("cancel", "Send nothing more of a rollout; what is on a node already ends there") { id, reason };
        run.On(command, async (context, cancellation) =>
        {
            CancelRequest request = new() { RolloutId = RolloutFollow.ParseId(context.Parse.GetRequiredValue(id)), Reason = context.Parse.GetValue(reason) ?? "" };
            RolloutItem item = RolloutItem.From(await context.Fleet.CancelAsync(request, cancellation).ConfigureAwait(false));
            context.Printer.Single(RolloutListing.Rollout, item, () => RolloutListing.Render(item, context.Printer.Width));
        });
        return command;
    }

    public static Command BuildHalt(CommandRunner run)
    {
        Option<string?> reason = new("--reason") { Description = "Why, for the audit", HelpName = "text" };
        Option<bool> off = new("--off") { Description = "End the halt; what it stopped stays stopped" };
        Command command = new("halt", "Stop all commands to all nodes, at once; needs no signature") { reason, off };
        run.On(command, async (context, cancellation) =>
        {
            string why = context.Parse.GetValue(reason) ?? "";
            HaltState state = context.Parse.GetValue(off)
                ? await context.Fleet.ResumeAsync(new ResumeRequest { Reason = why }, cancellation).ConfigureAwait(false)
                : await context.Fleet.HaltAsync(new HaltRequest { Reason = why }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine(state.Halted ? "halted: nothing goes out to any node" : "the halt is over");
        });
        return command;
    }
}
