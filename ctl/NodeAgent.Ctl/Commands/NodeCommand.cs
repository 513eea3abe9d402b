using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl node NAME</c>.</summary>
internal static class NodeCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> name = new("name") { HelpName = "NAME", Description = "The node's name" };
        name.Validators.Add(ParseFailure.RefuseOption);
        name.CompletionSources.Add(context => NodeNames.Complete(run, context));

        Command command = new("node", "Show one node: state, hardware, samplers") { name };
        run.On(command, async (context, cancellation) =>
        {
            string wanted = context.Parse.GetRequiredValue(name);
            GetNodeResponse answer;
            try
            {
                answer = await context.Fleet.GetNodeAsync(new GetNodeRequest { Name = wanted }, cancellation).ConfigureAwait(false);
            }
            catch (CtlException missing) when (missing.Code == ExitCode.NotFound)
            {
                throw await WithSuggestion(missing, wanted, context, cancellation).ConfigureAwait(false);
            }

            NodeDetail detail = NodeDetail.From(answer);
            bool wide = context.Printer.Format == OutputFormat.Wide;
            context.Printer.Single(NodeDetailView.Listing, detail, () => NodeDetailView.Render(detail, wide, context.Printer.Width, answer.WallUnixMs));
        });
        return command;
    }

    private static async Task<CtlException> WithSuggestion(CtlException missing, string wanted, CommandContext context, CancellationToken cancellation)
    {
        ListNodesResponse all = await context.Fleet.ListNodesAsync(new ListNodesRequest(), cancellation).ConfigureAwait(false);
        string? question = Nearest.Question(wanted, all.Nodes.Select(node => node.Name));
        return new CtlException(missing.Code, missing.What, missing.Why, question is null ? "'nodectl nodes' lists them." : $"{question} 'nodectl nodes' lists them.", missing);
    }
}
