using System.CommandLine;
using System.Globalization;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl feedback ID --right|--wrong</c>: thresholds of its cause move a little, within bounds.</summary>
internal static class FeedbackCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<ulong> id = IncidentCommand.Id();
        Option<bool> right = new("--right") { Description = "It was right to say so" };
        Option<bool> wrong = new("--wrong") { Description = "It was not: its cause becomes a little stricter" };
        Command command = new("feedback", "Say whether an incident was right; thresholds learn from it") { id, right, wrong };
        command.Validators.Add(result =>
        {
            if (result.GetValue(right) == result.GetValue(wrong)) result.AddError("give either --right or --wrong");
        });
        run.On(command, async (context, cancellation) =>
        {
            FeedbackRequest request = new() { Id = context.Parse.GetRequiredValue(id), Right = context.Parse.GetValue(right) };
            FeedbackResponse answer = await context.Fleet.FeedbackAsync(request, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"{answer.Cause} is {answer.Strictness.ToString("0.##", CultureInfo.InvariantCulture)} times as strict as by default now");
        });
        return command;
    }
}
