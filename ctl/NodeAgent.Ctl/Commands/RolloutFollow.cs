using Google.Protobuf;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary>Shows a rollout, and follows it to its end: a line for each change to standard error, the whole at the end.</summary>
internal static class RolloutFollow
{
    /// <summary>Ok: every node did it.</summary>
    internal static async Task<ExitCode> ShowAsync(CommandContext context, Rollout rollout, bool noWait, CancellationToken cancellation)
    {
        bool isOver = rollout.Phase is not (RolloutPhase.Running or RolloutPhase.AwaitingApproval);
        if (!isOver && !noWait)
        {
            if (rollout.Phase == RolloutPhase.AwaitingApproval)
            {
                context.Warn($"{rollout.Detail}; the other one runs: nodectl approve {new Guid(rollout.RolloutId.Span, bigEndian: true)}");
            }

            rollout = await FollowAsync(context, rollout, cancellation).ConfigureAwait(false);
        }

        RolloutItem item = RolloutItem.From(rollout);
        context.Printer.Single(RolloutListing.Rollout, item, () => RolloutListing.Render(item, context.Printer.Width));
        return item.IsGood || (noWait && rollout.Phase is RolloutPhase.Running or RolloutPhase.AwaitingApproval) ? ExitCode.Ok : ExitCode.Failure;
    }

    internal static ByteString ParseId(string text) => Guid.TryParse(text, out Guid id)
        ? ByteString.CopyFrom(id.ToByteArray(bigEndian: true))
        : throw CtlException.Usage("cannot find the rollout", $"'{text}' is no rollout's id", "`nodectl rollouts` lists them");

    private static async Task<Rollout> FollowAsync(CommandContext context, Rollout rollout, CancellationToken cancellation)
    {
        string last = "";
        await foreach (Rollout now in context.Fleet.WatchRolloutAsync(new WatchRolloutRequest { RolloutId = rollout.RolloutId }, cancellation).ConfigureAwait(false))
        {
            rollout = now;
            string line = $"wave {now.Wave + 1} of {now.Waves}: {now.Succeeded} of {now.TargetCount} succeeded, {now.Failed} failed{(now.Detail.Length > 0 ? $"; {now.Detail}" : "")}";
            if (line != last && context.Printer.ForPeople) context.Warn(line);
            last = line;
        }

        return rollout;
    }
}
