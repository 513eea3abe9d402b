using System.CommandLine;
using NodeAgent.Ctl.Fleet;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl ca show|reload|rotate</c>: the certificates that the fleet stands on.</summary>
internal static class CaCommand
{
    public static Command Build(CommandRunner run) => new("ca", "The certificates that the fleet stands on (admin)") { Show(run), Reload(run), Rotate(run) };

    private static Command Show(CommandRunner run)
    {
        Command command = new("show", "List roots, issuing CA and the aggregator's own certificate, and who holds these roots");
        run.On(command, async (context, cancellation) =>
        {
            DescribeCaResponse answer = await context.Fleet.DescribeCaAsync(new DescribeCaRequest(), cancellation).ConfigureAwait(false);
            context.Printer.List(CaItem.Listing, CaItem.From(answer.Ca), CaItem.About(answer));
            if (context.Printer.ForPeople) context.Warn(Holders(answer));
        });
        return command;
    }

    private static Command Reload(CommandRunner run)
    {
        Option<bool> dryRun = DryRun();
        Option<bool> force = new("--force") { Description = "Even where members would be cut off" };
        Command command = new("reload", "Have the aggregator read its CA files and its own certificate again") { dryRun, force };
        run.On(command, async (context, cancellation) =>
        {
            bool isDry = context.Parse.GetValue(dryRun);
            ReloadCaResponse answer = await context.Fleet.ReloadCaAsync(
                new ReloadCaRequest { DryRun = isDry, Force = context.Parse.GetValue(force) }, cancellation).ConfigureAwait(false);
            context.Printer.List(CaItem.Listing, CaItem.From(answer.After), CaItem.About(answer, isDry));
            if (!context.Printer.ForPeople) return;
            foreach (string change in answer.Changes) context.Warn($"{(isDry ? "would: " : "")}{Printable.Of(change)}");
            if (answer.Changes.Count == 0) context.Warn("nothing changes");
            if (answer.CutOff > 0) context.Warn($"cut off {(isDry ? "would be" : "are")} {answer.CutOff} members");
        });
        return command;
    }

    private static Command Rotate(CommandRunner run)
    {
        Argument<string> folder = new("dir") { HelpName = "DIR", Description = "The fleet's folder, with the root's key" };
        folder.Validators.Add(ParseFailure.RefuseOption);
        Option<bool> dryRun = DryRun();
        Option<bool> force = new("--force") { Description = "Go on even where members do not hold the new root yet" };
        Command command = new("rotate", "Change the fleet's root, one of three steps a call, with days between them") { folder, dryRun, force };
        run.On(command, async (context, cancellation) =>
        {
            RootChange change = new(new FleetFolder(context.Parse.GetRequiredValue(folder)), context.World.Time);
            RootChangeStep step = change.Next();
            bool isDry = context.Parse.GetValue(dryRun);
            if (step != RootChangeStep.Introduce) await RequireHoldersAsync(context, isDry || context.Parse.GetValue(force), cancellation).ConfigureAwait(false);
            if (!isDry) change.Advance();
            context.World.Out.WriteLine($"{(isDry ? "would do" : "did")} step {RootChange.Describe(step)}.");
            if (!isDry) context.Warn("copy ca.crt, issuer.crt, issuer.key, aggregator.crt and aggregator.key to the aggregator, then: nodectl ca reload");
        });
        return command;
    }

    private static async Task RequireHoldersAsync(CommandContext context, bool isFine, CancellationToken cancellation)
    {
        DescribeCaResponse answer = await context.Fleet.DescribeCaAsync(new DescribeCaRequest(), cancellation).ConfigureAwait(false);
        context.Warn(Holders(answer));
        if (answer.Ca.Roots.Count < 2 && !isFine)
        {
            throw new CtlException(ExitCode.Failure, "cannot go on with the change", "the aggregator does not have both roots yet", "Copy the files of the step before to it, then: nodectl ca reload.");
        }

        if (answer.WithBundle < answer.Members && !isFine)
        {
            throw new CtlException(ExitCode.Failure, "cannot go on with the change", $"{answer.Members - answer.WithBundle} members do not hold both roots yet", "Wait until they have renewed (within a day), or use --force.");
        }
    }

    private static string Holders(DescribeCaResponse answer)
    {
        string without = answer.Without.Count == 0 ? "" : $"; without: {Printable.Of(string.Join(", ", answer.Without.Take(10)))}{(answer.Without.Count > 10 ? ", …" : "")}";
        return $"{answer.WithBundle} of {answer.Members} members hold exactly these roots{without}";
    }

    private static Option<bool> DryRun() => new("--dry-run") { Description = "Say what would be done, and change nothing" };
}
