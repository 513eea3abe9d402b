using System.CommandLine;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl nodes [PATTERN]</c>.</summary>
internal static class NodesCommand
{
    private static readonly string[] States = ["live", "late", "down", "unknown"];

    public static Command Build(CommandRunner run)
    {
        Argument<string?> pattern = new("pattern") { HelpName = "PATTERN", Description = "Only nodes whose whole name matches this regular expression", Arity = ArgumentArity.ZeroOrOne };
        pattern.Validators.Add(ParseFailure.RefuseOption);
        Option<string[]> state = new("--state")
        {
            Description = "Only nodes in these states: live, late, down, unknown",
            HelpName = "state,…",
            CustomParser = result => [.. result.Tokens.SelectMany(token => token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
        };
        state.Validators.Add(result =>
        {
            foreach (string name in result.GetValueOrDefault<string[]>() ?? [])
            {
                if (!States.Contains(name)) result.AddError($"--state: '{name}' is none of {string.Join(", ", States)}{(Nearest.Question(name, States) is { } question ? ". " + question : "")}");
            }
        });
        state.CompletionSources.Add(States);

        Command command = new("nodes", "List the nodes, with how fresh each one is") { pattern, state };
        run.On(command, async (context, cancellation) =>
        {
            ListNodesResponse answer = await context.Fleet.ListNodesAsync(
                new ListNodesRequest { NamePattern = context.Parse.GetValue(pattern) ?? "" }, cancellation).ConfigureAwait(false);
            string[] states = context.Parse.GetValue(state) ?? [];
            List<NodeItem> nodes = [.. answer.Nodes.Select(node => NodeItem.From(node, answer.WallUnixMs)).Where(node => states.Length == 0 || states.Contains(node.State))];
            context.Printer.List(NodeListing.Nodes, nodes, About.At(answer.WallUnixMs));
            if (context.Printer.ForPeople) context.Note(Summary(nodes));
        });
        return command;
    }

    private static string Summary(List<NodeItem> nodes) =>
        $"{nodes.Count} {(nodes.Count == 1 ? "node" : "nodes")}: " + string.Join(", ", nodes.CountBy(node => node.State).Select(state => $"{state.Value} {state.Key}"));
}
