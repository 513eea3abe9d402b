using System.CommandLine;
using NodeAgent.Ctl.Commands;

namespace NodeAgent.Ctl.Completion;

/// <summary><c>nodectl completion SHELL</c>: prints the script that makes the shell ask nodectl itself, through the [suggest] directive.</summary>
internal static class CompletionCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> shell = new("shell") { HelpName = "SHELL", Description = string.Join(", ", CompletionScripts.Shells) };
        shell.Validators.Add(ParseFailure.RefuseOption);
        shell.CompletionSources.Add([.. CompletionScripts.Shells]);

        Command command = new("completion", "Print the completion script of a shell") { shell };
        run.On(command, async (context, _) =>
        {
            string name = context.Parse.GetRequiredValue(shell);
            if (!CompletionScripts.TryGet(name, out string script))
            {
                throw CtlException.Usage("cannot print a completion script", $"'{name}' is none of {string.Join(", ", CompletionScripts.Shells)}", Text.Nearest.Question(name, CompletionScripts.Shells));
            }

            await context.World.Out.WriteAsync(script).ConfigureAwait(false);
        });
        return command;
    }
}
