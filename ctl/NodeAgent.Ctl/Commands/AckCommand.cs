using System.CommandLine;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl ack ID</c>: somebody knows.</summary>
internal static class AckCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<ulong> id = IncidentCommand.Id();
        Command command = new("ack", "Say that you know of an incident") { id };
        run.On(command, async (context, cancellation) =>
        {
            AcknowledgeResponse answer = await context.Fleet.AcknowledgeAsync(new AcknowledgeRequest { Id = context.Parse.GetRequiredValue(id) }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"incident {answer.Incident.Id} is acknowledged by {answer.Incident.AcknowledgedBy}");
        });
        return command;
    }
}
