using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl cordon NODE [--off]</c>.</summary>
internal static class CordonCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> node = new("node") { HelpName = "NODE", Description = "The node's name" };
        node.Validators.Add(ParseFailure.RefuseOption);
        node.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<bool> off = new("--off") { Description = "Let it take new work again" };
        Command command = new("cordon", "Keep new work away from a node; what runs there stays") { node, off };
        run.On(command, async (context, cancellation) =>
        {
            string name = context.Parse.GetRequiredValue(node);
            bool cordoned = !context.Parse.GetValue(off);
            await context.Fleet.CordonAsync(new CordonRequest { Node = name, Cordoned = cordoned }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine(cordoned ? $"{name} takes no new work" : $"{name} takes new work");
        });
        return command;
    }
}
