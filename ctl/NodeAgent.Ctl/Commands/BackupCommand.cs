using System.CommandLine;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl backup</c>: the aggregator backs itself up and tells how far it is.</summary>
internal static class BackupCommand
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    public static Command Build(CommandRunner run)
    {
        Argument<string?> name = new("name") { HelpName = "NAME", Description = "Name in the aggregator's backup.directory (default: the time)", Arity = ArgumentArity.ZeroOrOne };
        name.Validators.Add(ParseFailure.RefuseOption);
        Option<bool> directory = new("--directory") { Description = "A directory with the files as they are, instead of one file" };
        Option<bool> link = new("--link") { Description = "Hard links instead of copies, with --directory: no room and no time, and no protection against the disk" };
        Command command = new("backup", "Back up the running aggregator, on its own machine") { name, directory, link };
        command.Validators.Add(result =>
        {
            if (result.GetValue(link) && !result.GetValue(directory)) result.AddError("--link is for --directory");
        });
        run.On(command, async (context, cancellation) =>
        {
            BackupRequest request = new() { Name = context.Parse.GetValue(name) ?? "", Directory = context.Parse.GetValue(directory), Linked = context.Parse.GetValue(link) };
            BackupResult result = await FollowAsync(request, context, cancellation).ConfigureAwait(false)
                ?? throw new CtlException(ExitCode.Failure, "cannot back up", "the aggregator ended the call without a result");
            context.Printer.List(BackupItem.Listing, [BackupItem.From(result)]);
        });
        return command;
    }

    private static async Task<BackupResult?> FollowAsync(BackupRequest request, CommandContext context, CancellationToken cancellation)
    {
        BackupResult? result = null;
        long start = context.World.Time.GetTimestamp();
        TimeSpan shown = TimeSpan.Zero;
        await foreach (BackupUpdate update in context.Fleet.BackupAsync(request, cancellation).ConfigureAwait(false))
        {
            result = update.Done ?? result;
            TimeSpan elapsed = context.World.Time.GetElapsedTime(start);
            if (result is null && (shown == TimeSpan.Zero || elapsed - shown >= LineInterval))
            {
                shown = elapsed + TimeSpan.FromTicks(1);
                context.Warn(Line(update, elapsed));
            }
        }

        return result;
    }

    private static string Line(BackupUpdate update, TimeSpan elapsed)
    {
        double rate = update.DoneBytes / Math.Max(elapsed.TotalSeconds, 0.001);
        string left = update.DoneBytes > 0 ? $", {Human.Seconds((update.TotalBytes - update.DoneBytes) / rate)} left" : "";
        return $"{Human.Bytes(update.DoneBytes)} of {Human.Bytes(update.TotalBytes)}{left}: {update.Activity}";
    }
}
