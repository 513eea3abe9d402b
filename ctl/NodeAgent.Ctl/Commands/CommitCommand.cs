using System.CommandLine;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl commit TOKEN</c>.</summary>
internal static class CommitCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> token = new("token") { HelpName = "TOKEN", Description = "From 'nodectl place --hold'" };
        token.Validators.Add(ParseFailure.RefuseOption);
        Command command = new("commit", "Make a held place permanent; asked again it answers the same") { token };
        run.On(command, async (context, cancellation) =>
        {
            string job = await CommitAsync(context, context.Parse.GetRequiredValue(token), cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"committed {job}");
        });
        return command;
    }

    /// <summary>The job that has its place for good now.</summary>
    internal static async Task<string> CommitAsync(CommandContext context, string token, CancellationToken cancellation)
    {
        CommitResponse answer = await context.Fleet.CommitAsync(new CommitRequest { Token = token }, cancellation).ConfigureAwait(false);
        return answer.Verdict switch
        {
            CommitVerdict.Committed => answer.Job,
            CommitVerdict.Expired => throw Failed("the token expired and the place was given back"),
            CommitVerdict.Conflict => throw Failed("a node of it was taken out of service since; the place was given back"),
            _ => throw Failed($"no place is held under '{token}'"),
        };
    }

    private static CtlException Failed(string why) => new(ExitCode.Failure, "cannot commit", why, "Place the job again.");
}
