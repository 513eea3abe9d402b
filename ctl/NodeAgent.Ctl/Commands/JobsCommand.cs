using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl jobs [JOB]</c>.</summary>
internal static class JobsCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> job = new("job") { HelpName = "JOB", Description = "Only this job", Arity = ArgumentArity.ZeroOrOne };
        job.Validators.Add(ParseFailure.RefuseOption);
        Command command = new("jobs", "List the jobs that hold a place or lost theirs") { job };
        run.On(command, async (context, cancellation) =>
        {
            ListJobsResponse answer = await context.Fleet.ListJobsAsync(new ListJobsRequest { Job = context.Parse.GetValue(job) ?? "" }, cancellation).ConfigureAwait(false);
            context.Printer.List(JobListing.Jobs, [.. answer.Jobs.Select(JobItem.From)], About.At(answer.WallUnixMs));
            if (!context.Printer.ForPeople) return;
            foreach (UnknownNode node in answer.UnknownNodes) context.Warn($"node {node.Name} is not used: {node.Reason}");
            if (answer.Cordoned.Count > 0) context.Warn($"kept free of new work: {Text.HostList.Compress(answer.Cordoned)}");
        });
        return command;
    }
}
