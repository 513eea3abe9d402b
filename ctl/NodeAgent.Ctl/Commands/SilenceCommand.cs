using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl silence</c> and <c>nodectl unsilence ID</c>: nothing is heard of what matches, for a while and with a reason.</summary>
internal static class SilenceCommand
{
    public static Command Build(CommandRunner run)
    {
        Option<string?> node = new("--node") { Description = "What is about this node", HelpName = "name" };
        node.CompletionSources.Add(context => NodeNames.Complete(run, context));
        Option<string?> cause = new("--cause") { Description = "What has this cause: throttle-thermal, xid-79", HelpName = "cause" };
        Option<TimeSpan?> duration = Values.Duration("--for", "How long, at most 30d; every silence ends by itself");
        duration.Required = true;
        Option<string> reason = new("--reason") { Description = "Why, for whoever wonders later", HelpName = "text", Required = true };
        Command command = new("silence", "Hear nothing of what matches for a while; incidents live on, unheard") { node, cause, duration, reason };
        command.Validators.Add(result =>
        {
            if (result.GetValue(node) is null && result.GetValue(cause) is null) result.AddError("give --node, --cause or both: a whole fleet is never silenced by accident");
        });
        run.On(command, async (context, cancellation) =>
        {
            SilenceResponse answer = await context.Fleet.SilenceAsync(
                new SilenceRequest
                {
                    Node = context.Parse.GetValue(node) ?? "",
                    Cause = context.Parse.GetValue(cause) ?? "",
                    DurationMs = (ulong)(context.Parse.GetValue(duration)?.TotalMilliseconds ?? 0),
                    Reason = context.Parse.GetRequiredValue(reason),
                },
                cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"silence {answer.Silence.Id} until {MomentText.DateAndClock(answer.Silence.UntilUnixMs)} UTC");
        });
        return command;
    }

    public static Command BuildEnd(CommandRunner run)
    {
        Argument<ulong> id = IncidentCommand.Id("The silence's number; `nodectl incidents --silences` lists them");
        Command command = new("unsilence", "End a silence now") { id };
        run.On(command, async (context, cancellation) =>
        {
            ulong number = context.Parse.GetRequiredValue(id);
            await context.Fleet.UnsilenceAsync(new UnsilenceRequest { Id = number }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"silence {number} is over");
        });
        return command;
    }
}
