using System.CommandLine.Completions;
using NodeAgent.Ctl.Commands;
using NodeAgent.Ctl.Connection;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Completion;

/// <summary>Node names complete from the aggregator, as far as it answers at once.</summary>
internal static class NodeNames
{
    // A person waits for a tab key about this long; then the shell should rather offer nothing.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(800);

    public static IEnumerable<CompletionItem> Complete(CommandRunner run, CompletionContext context)
    {
        try
        {
            return [.. Ask(run, context).GetAwaiter().GetResult().Select(name => new CompletionItem(name))];
        }
        catch (Exception unanswered) when (unanswered is CtlException or OperationCanceledException)
        {
            // A line on the screen in the middle of typing would be worse than no suggestion; the command itself will say what is wrong.
            return [];
        }
    }

    private static async Task<IReadOnlyList<string>> Ask(CommandRunner run, CompletionContext context)
    {
        ConnectionFlags flags = run.Globals.Connection(context.ParseResult) with { Timeout = Patience };
        await using IFleet fleet = run.World.Connect(ConnectionResolver.Resolve(flags, run.World));
        ListNodesResponse answer = await fleet.ListNodesAsync(new ListNodesRequest(), CancellationToken.None).ConfigureAwait(false);
        return [.. answer.Nodes.Select(node => node.Name).Where(name => name.StartsWith(context.WordToComplete, StringComparison.Ordinal))];
    }
}
