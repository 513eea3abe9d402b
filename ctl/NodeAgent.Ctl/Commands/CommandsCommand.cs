using System.CommandLine;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl commands [KIND]</c>: the catalogue.</summary>
internal static class CommandsCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> kind = new("kind") { HelpName = "KIND", Description = "Only this one, with its parameters and preconditions", Arity = ArgumentArity.ZeroOrOne };
        kind.CompletionSources.Add([.. CommandCatalogue.All.Select(row => row.Name)]);
        Command command = new("commands", "List what nodes can be told to do") { kind };
        run.On(command, (context, _) =>
        {
            if (context.Parse.GetValue(kind) is not { } name)
            {
                context.Printer.List(KindListing.Kinds, [.. CommandCatalogue.All.Select(KindItem.From)]);
                return Task.CompletedTask;
            }

            KindItem item = KindItem.From(Signing.CommandBuilder.Find(name));
            context.Printer.Single(KindListing.Kind, item, () => KindListing.Render(item, context.Printer.Width));
            return Task.CompletedTask;
        });
        return command;
    }
}
