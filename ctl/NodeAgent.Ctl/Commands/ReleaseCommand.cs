using System.CommandLine;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl release JOB</c>.</summary>
internal static class ReleaseCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> job = new("job") { HelpName = "JOB", Description = "The job's name" };
        job.Validators.Add(ParseFailure.RefuseOption);
        Option<bool> dryRun = new("--dry-run") { Description = "Show what it holds; give nothing back" };
        Command command = new("release", "Give back what a job holds") { job, dryRun };
        run.On(command, async (context, cancellation) =>
        {
            string name = context.Parse.GetRequiredValue(job);
            if (context.Parse.GetValue(dryRun))
            {
                ListJobsResponse answer = await context.Fleet.ListJobsAsync(new ListJobsRequest { Job = name }, cancellation).ConfigureAwait(false);
                context.Printer.List(JobListing.Jobs, [.. answer.Jobs.Select(JobItem.From)], About.At(answer.WallUnixMs));
                return;
            }

            await context.Fleet.ReleaseAsync(new ReleaseRequest { Job = name }, cancellation).ConfigureAwait(false);
            context.World.Out.WriteLine($"released {name}");
        });
        return command;
    }
}
