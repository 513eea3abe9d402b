using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl series [SELECTOR]</c>.</summary>
internal static class SeriesCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string?> selector = new("selector")
        {
            HelpName = "SELECTOR", Arity = ArgumentArity.ZeroOrOne,
            Description = "name{label=\"x\",other!=\"y\",re=~\"a|b\",not!~\"c.*\"}; absent: every series",
        };
        selector.Validators.Add(ParseFailure.RefuseOption);
        selector.CompletionSources.Add(MetricNames.Complete);
        Option<int?> limit = Values.Count("--limit", "At most this many (default: 10,000)", 1, 1_000_000);

        Command command = new("series", "List series with their newest value") { selector, limit };
        run.On(command, async (context, cancellation) =>
        {
            string text = context.Parse.GetValue(selector) ?? "";
            ListSeriesRequest request = new() { Selector = text, Limit = (uint)(context.Parse.GetValue(limit) ?? 0) };
            List<SeriesItem> items = [];
            ulong total = 0;
            await foreach (ListSeriesResponse part in Expressions.Pointing(text, context.Fleet.ListSeriesAsync(request, cancellation)).ConfigureAwait(false))
            {
                items.AddRange(part.Series.Select(SeriesItem.From));
                total = Math.Max(total, part.Total);
            }

            context.Printer.List(SeriesListing.For(Newest(items)), items, About.Total(Math.Max(total, (ulong)items.Count)));
            if (total > (ulong)items.Count) context.Warn($"{Human.Grouped((ulong)items.Count)} of {Human.Grouped(total)} series shown. Raise --limit or narrow the selector");
        });
        return command;
    }

    // Ages are told against the newest sample in the answer: it needs no second call and no trust in this machine's clock.
    private static long Newest(List<SeriesItem> items) => items.Count == 0 ? 0 : items.Max(item => item.LastUnixMs ?? 0);
}
