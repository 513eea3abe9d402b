using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl what-if JOB</c>: a job on a fleet that is not there.</summary>
internal sealed class WhatIfCommand
{
    private readonly JobOptions _job = new();
    private readonly Option<string[]> _down = JobOptions.Names("--node-down", "Assume that these nodes are lost", "node,…");
    private readonly Option<string[]> _cordon = JobOptions.Names("--cordon", "Assume that these nodes take no new work", "node,…");
    private readonly Option<string[]> _ends = JobOptions.Names("--job-ends", "Assume that these jobs end", "job,…");
    private readonly Option<string[]> _add = JobOptions.Names("--add-nodes", "Assume so many more nodes like one", "node:count,…");
    private readonly Option<bool> _compare = new("--compare") { Description = "A row for each policy instead, on the fleet as it is" };

    public static Command Build(CommandRunner run)
    {
        WhatIfCommand whatIf = new();
        Command command = new("what-if", "Where a job would go if the fleet were different; nothing happens") { whatIf._down, whatIf._cordon, whatIf._ends, whatIf._add, whatIf._compare };
        whatIf._job.AddTo(command);
        whatIf._add.Validators.Add(RefuseBadCounts);
        run.On(command, whatIf.RunAsync);
        return command;
    }

    private async Task<ExitCode> RunAsync(CommandContext context, CancellationToken cancellation)
    {
        WhatIfRequest request = new() { Requests = { _job.Read(context.Parse) }, ComparePolicies = context.Parse.GetValue(_compare) };
        request.Mutations.AddRange(Of(_ends, name => new Mutation { JobEnds = name }));
        request.Mutations.AddRange(Of(_add, text => new Mutation { AddNodes = new Mutation.Types.AddNodes { Like = text[..text.LastIndexOf(':')], Count = Count(text)!.Value } }));
        request.Mutations.AddRange(Of(_down, name => new Mutation { NodeDown = name }));
        request.Mutations.AddRange(Of(_cordon, name => new Mutation { Cordon = name }));
        WhatIfResponse answer = await context.Fleet.WhatIfAsync(request, cancellation).ConfigureAwait(false);
        if (request.ComparePolicies)
        {
            context.Printer.List(PolicyListing.Policies, [.. answer.Policies.Select(PolicyItem.From)]);
            return ExitCode.Ok;
        }

        DecisionItem item = DecisionItem.From(answer.Decisions[0], isCommitted: false);
        context.Printer.Single(DecisionView.Listing, item, () => DecisionView.Render(item, context.Printer.Width));
        return DecisionItem.IsPlaced(answer.Decisions[0]) ? ExitCode.Ok : ExitCode.Failure;

        IEnumerable<Mutation> Of(Option<string[]> option, Func<string, Mutation> mutation) => (context.Parse.GetValue(option) ?? []).Select(mutation);
    }

    private static void RefuseBadCounts(OptionResult result)
    {
        foreach (string text in result.GetValueOrDefault<string[]>() ?? [])
        {
            if (Count(text) is null) result.AddError($"--add-nodes: '{text}' is no node and count. Write gpu-01:4");
        }
    }

    private static uint? Count(string text) =>
        text.LastIndexOf(':') is var colon && colon > 0 && uint.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out uint count) && count > 0 ? count : null;
}
