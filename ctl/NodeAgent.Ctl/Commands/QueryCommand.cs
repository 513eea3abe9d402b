using System.CommandLine;
using System.CommandLine.Parsing;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Plot;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl query EXPR</c>: at one moment, or over a range as sparklines or a plot.</summary>
internal sealed class QueryCommand
{
    private readonly Argument<string> _expression = new("expr") { HelpName = "EXPR", Description = "PromQL subset: sum by (node) (rate(node_cpu_seconds_total{mode=\"user\"}[1m]))" };
    private readonly Option<string?> _at = new("--at") { Description = "Evaluate at this time: 10m (ago), 2026-11-21T09:00:00Z (default: now)", HelpName = "time" };
    private readonly Option<TimeSpan?> _range = Values.Duration("--range", "Evaluate over this long until --end (default: 10m when --step, --start, --end or --plot is given)");
    private readonly Option<TimeSpan?> _step = Values.Duration("--step", "Distance of two points of a range (default: about 240 points)");
    private readonly Option<string?> _start = new("--start") { Description = "Beginning of the range, instead of --range", HelpName = "time" };
    private readonly Option<string?> _end = new("--end") { Description = "End of the range (default: now)", HelpName = "time" };
    private readonly Option<bool> _plot = new("--plot") { Description = "Draw the range as a plot that fills the terminal" };
    private readonly Option<int?> _top = Values.Count("--top", "Only the largest K results, ordered", 1, 1000);
    private readonly Option<int?> _bottom = Values.Count("--bottom", "Only the smallest K results, ordered", 1, 1000);

    public static Command Build(CommandRunner run)
    {
        QueryCommand query = new();
        query._expression.Validators.Add(ParseFailure.RefuseOption);
        query._expression.CompletionSources.Add(MetricNames.Complete);
        query._top.HelpName = "K";
        query._bottom.HelpName = "K";
        Command command = new("query", "Evaluate an expression at one moment or over a range")
        {
            query._expression, query._at, query._range, query._step, query._start, query._end, query._plot, query._top, query._bottom,
        };
        command.Validators.Add(query.RefuseContradictions);
        run.On(command, query.RunAsync);
        return command;
    }

    private void RefuseContradictions(CommandResult result)
    {
        string? ranged = ((Option[])[_range, _step, _start, _end, _plot]).FirstOrDefault(option => Given(result, option))?.Name;
        string? instant = ((Option[])[_at, _top, _bottom]).FirstOrDefault(option => Given(result, option))?.Name;
        if (ranged is not null && instant is not null) result.AddError($"{instant} is for one moment and {ranged} for a range; give one of them");
        if (Given(result, _top) && Given(result, _bottom)) result.AddError("--top and --bottom exclude each other");
        if (Given(result, _range) && Given(result, _start)) result.AddError("--range and --start both say where the range begins; give one of them");
    }

    private static bool Given(SymbolResult result, Option option) => result.GetResult(option) is { Implicit: false };

    private Task RunAsync(CommandContext context, CancellationToken cancellation)
    {
        string expression = context.Parse.GetRequiredValue(_expression);
        CommandResult given = context.Parse.CommandResult;
        bool ranged = Given(given, _range) || Given(given, _step) || Given(given, _start) || Given(given, _end) || Given(given, _plot);
        return ranged ? RangeAsync(expression, context, cancellation) : InstantAsync(expression, context, cancellation);
    }

    private async Task InstantAsync(string expression, CommandContext context, CancellationToken cancellation)
    {
        QueryInput input = new() { Expression = expression };
        long? at = context.Parse.GetValue(_at) is { } text ? await ServerClock.ParseAsync("--at", text, context, cancellation).ConfigureAwait(false) : null;
        int? top = context.Parse.GetValue(_top);
        int? bottom = context.Parse.GetValue(_bottom);

        Task<QueryResponse> call;
        if ((top ?? bottom) is { } k)
        {
            TopKRequest request = new() { Query = input, K = (uint)k, Bottom = bottom is not null };
            if (at is { } moment) request.AtUnixMs = moment;
            call = context.Fleet.TopKAsync(request, cancellation);
        }
        else
        {
            InstantRequest request = new() { Query = input };
            if (at is { } moment) request.AtUnixMs = moment;
            call = context.Fleet.InstantAsync(request, cancellation);
        }

        QueryResponse answer = await Expressions.Pointing(expression, call).ConfigureAwait(false);
        List<ResultItem> items = [.. answer.Results.Select(ResultItem.From)];
        context.Printer.List(ResultListing.For(items, answer.AtUnixMs), items, About.Result(expression, answer.AtUnixMs, answer.Cost));
        Report(context, items.Count, answer.Cost);
    }

    private async Task RangeAsync(string expression, CommandContext context, CancellationToken cancellation)
    {
        RangeRequest request = await RequestAsync(expression, context, cancellation).ConfigureAwait(false);
        List<RangeItem> items = [];
        QueryCost? cost = null;
        await foreach (RangeResponse part in Expressions.Pointing(expression, context.Fleet.RangeAsync(request, cancellation)).ConfigureAwait(false))
        {
            // The last message carries the cost and, when nothing matched, nothing else.
            cost = part.Cost ?? cost;
            if (part.Values.Count > 0) items.Add(RangeItem.From(part));
        }

        Print(expression, items, cost, context);
        Report(context, items.Count, cost);
    }

    private async Task<RangeRequest> RequestAsync(string expression, CommandContext context, CancellationToken cancellation)
    {
        RangeRequest request = new() { Query = new QueryInput { Expression = expression }, StepMs = (ulong)(context.Parse.GetValue(_step)?.TotalMilliseconds ?? 0) };
        if (context.Parse.GetValue(_end) is { } end) request.EndUnixMs = await ServerClock.ParseAsync("--end", end, context, cancellation).ConfigureAwait(false);
        if (context.Parse.GetValue(_start) is { } start) request.StartUnixMs = await ServerClock.ParseAsync("--start", start, context, cancellation).ConfigureAwait(false);
        if (context.Parse.GetValue(_range) is { } range)
        {
            if (!request.HasEndUnixMs) request.EndUnixMs = (await ServerClock.NowAsync(context, cancellation).ConfigureAwait(false)).ToUnixTimeMilliseconds();
            request.StartUnixMs = request.EndUnixMs - (long)range.TotalMilliseconds;
        }

        if (request.HasStartUnixMs && request.HasEndUnixMs && request.StartUnixMs >= request.EndUnixMs)
        {
            throw CtlException.Usage("cannot evaluate", $"the range begins at {MomentText.Rfc3339(request.StartUnixMs)} and ends at {MomentText.Rfc3339(request.EndUnixMs)}", "--start must be before --end.");
        }

        return request;
    }

    private void Print(string expression, List<RangeItem> items, QueryCost? cost, CommandContext context)
    {
        Printer printer = context.Printer;
        if (context.Parse.GetValue(_plot) && printer.ForPeople)
        {
            // A pipe has no size: what fits a page.
            int width = printer.Width == int.MaxValue ? 100 : printer.Width;
            int height = context.World.Terminal.OutputIsTerminal ? context.World.Terminal.Height : 24;
            if (items.Count == 0) printer.List(RangeListing.For(items), items);
            else printer.Lines(RangePlot.Render(expression, items, width, height, printer.Colour));
            return;
        }

        if (printer.Format is OutputFormat.Wide or OutputFormat.Csv) printer.List(RangeListing.Points, [.. items.SelectMany(PointItem.From)]);
        else printer.List(RangeListing.For(items), items, About.Range(expression, cost));
    }

    private static void Report(CommandContext context, int results, QueryCost? cost)
    {
        if (cost is null) return;
        context.Note($"{results} results from {Human.Grouped(cost.Series)} series and {Human.Grouped(cost.Samples)} samples in {Human.Seconds(cost.ElapsedUs / 1e6)}");
    }
}
