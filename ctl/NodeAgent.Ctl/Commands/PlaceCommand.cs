using System.CommandLine;
using System.Text.Json;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl place JOB</c>: decides, and commits what was decided.</summary>
internal sealed class PlaceCommand
{
    private enum SchedulerFormat
    {
        Slurm,
        K8s,
    }

    private readonly JobOptions _job = new();
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Decide and explain; hold nothing" };
    private readonly Option<bool> _hold = new("--hold") { Description = "Hold the place for 30 s and print its token, for 'nodectl commit'" };
    private readonly Option<SchedulerFormat?> _format = Values.Choice<SchedulerFormat>("--format", null, "For another scheduler: a host list, or a ranking of nodes that holds nothing", "form");

    public static Command Build(CommandRunner run)
    {
        PlaceCommand place = new();
        Command command = new("place", "Decide where a job goes, and why, and reserve it") { place._dryRun, place._hold, place._format };
        place._job.AddTo(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(place._dryRun) && result.GetValue(place._hold)) result.AddError("--dry-run and --hold exclude each other");
        });
        run.On(command, place.RunAsync);
        return command;
    }

    private async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        JobRequest request = _job.Read(context.Parse);
        SchedulerFormat? format = context.Parse.GetValue(_format);
        if (format == SchedulerFormat.K8s) return await RankAsync(context, request, cancellation).ConfigureAwait(false);

        bool dryRun = context.Parse.GetValue(_dryRun);
        Decision decision = dryRun
            ? (await context.Fleet.WhatIfAsync(new WhatIfRequest { Requests = { request } }, cancellation).ConfigureAwait(false)).Decisions[0]
            : (await context.Fleet.PlaceAsync(new PlaceRequest { Request = request }, cancellation).ConfigureAwait(false)).Decision;
        bool isPlaced = DecisionItem.IsPlaced(decision);
        bool isCommitted = isPlaced && !dryRun && !context.Parse.GetValue(_hold);
        if (isCommitted) await CommitCommand.CommitAsync(context, decision.Token, cancellation).ConfigureAwait(false);

        DecisionItem item = DecisionItem.From(decision, isCommitted);
        if (format == SchedulerFormat.Slurm && isPlaced) context.World.Out.WriteLine(HostList.Compress(decision.Assignments.Select(assignment => assignment.Node)));
        else context.Printer.Single(DecisionView.Listing, item, () => DecisionView.Render(item, context.Printer.Width));
        return isPlaced ? ExitCode.Ok : ExitCode.Failure;
    }

    private static async Task<ExitCode> RankAsync(CommandContext context, JobRequest request, CancellationToken cancellation)
    {
        RankNodesResponse ranked = await context.Fleet.RankNodesAsync(new RankNodesRequest { Request = request, Limit = HostPriority.MostNodes }, cancellation).ConfigureAwait(false);
        context.World.Out.WriteLine(JsonSerializer.Serialize(HostPriority.Of(ranked.Nodes), CtlJson.Default.HostPriorityArray));
        return ranked.Nodes.Count > 0 ? ExitCode.Ok : ExitCode.Failure;
    }
}
