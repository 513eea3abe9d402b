using System.CommandLine;
using NodeAgent.Ctl.Doctor;
using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl doctor</c>: every step of the way to the aggregator, and what to repair. Ends with 1 when a check fails.</summary>
internal static class DoctorCommand
{
    public static Command Build(CommandRunner run)
    {
        Command command = new("doctor", "Check the configuration, the connection, the identity and the fleet");
        run.On(command, async (context, cancellation) =>
        {
            IReadOnlyList<CheckItem> checks =
            [
                .. await new Examination(context.World, context.Flags).RunAsync(cancellation).ConfigureAwait(false),
                .. new HostExamination(context.World.HostRoot, context.World.Time).Run(),
            ];
            if (context.Printer.Format == OutputFormat.Table) context.Printer.Lines(CheckListing.Render(checks, context.Printer.Width));
            else context.Printer.List(CheckListing.Checks, checks);
            return checks.Any(check => check.Failed) ? ExitCode.Failure : ExitCode.Ok;
        });
        return command;
    }
}
