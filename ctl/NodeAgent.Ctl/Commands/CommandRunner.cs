using System.CommandLine;

namespace NodeAgent.Ctl.Commands;

/// <summary>Runs a command's body with a context of its own.</summary>
internal sealed class CommandRunner(CtlWorld world, GlobalOptions globals)
{
    public CtlWorld World => world;

    public GlobalOptions Globals => globals;

    public void On(Command command, Func<CommandContext, CancellationToken, Task<ExitCode>> body) =>
        command.SetAction(async (ParseResult parse, CancellationToken cancellation) =>
        {
            await using CommandContext context = new(world, globals, parse);
            return (int)await body(context, cancellation).ConfigureAwait(false);
        });

    public void On(Command command, Func<CommandContext, CancellationToken, Task> body) =>
        On(command, async (context, cancellation) =>
        {
            await body(context, cancellation).ConfigureAwait(false);
            return ExitCode.Ok;
        });
}
