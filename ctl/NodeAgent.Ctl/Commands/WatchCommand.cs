using System.CommandLine;
using NodeAgent.Ctl.Completion;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary><c>nodectl watch SELECTOR</c>: a line a sample until Ctrl-C.</summary>
internal static class WatchCommand
{
    public static Command Build(CommandRunner run)
    {
        Argument<string> selector = new("selector") { HelpName = "SELECTOR", Description = "name{label=\"x\",…}; never empty: nobody watches a whole fleet by accident" };
        selector.Validators.Add(ParseFailure.RefuseOption);
        selector.CompletionSources.Add(MetricNames.Complete);
        Option<TimeSpan?> interval = Values.Duration("--interval", "At most one sample of a series in this time (default: every sample)");
        Option<int?> count = Values.Count("--count", "End after this many samples", 1, int.MaxValue);

        Command command = new("watch", "Print every new sample of the matching series") { selector, interval, count };
        run.On(command, async (context, cancellation) =>
        {
            string text = context.Parse.GetRequiredValue(selector);
            if (text.Trim().Length == 0) throw CtlException.Usage("cannot watch", "the selector is empty", "Name a metric or a label: node_load1, {node=\"gpu-01\"}.");
            WatchRequest request = new() { Selector = text, MinIntervalMs = (uint)(context.Parse.GetValue(interval)?.TotalMilliseconds ?? 0) };
            long left = context.Parse.GetValue(count) ?? long.MaxValue;
            await Follow(text, request, left, context, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task Follow(string text, WatchRequest request, long left, CommandContext context, CancellationToken cancellation)
    {
        StreamPrinter<SampleItem> printer = context.Printer.Stream(SampleListing.Samples);
        Dictionary<uint, (string Metric, IReadOnlyDictionary<string, string> Labels, string Unit)> known = [];
        await foreach (WatchResponse part in Expressions.Pointing(text, context.Fleet.WatchAsync(request, cancellation)).ConfigureAwait(false))
        {
            foreach (WatchResponse.Types.WatchedSeries series in part.Series) known[series.Index] = (series.Metric, LabelText.Map(series.Labels), series.Unit);
            if (part.LostSamples > 0) context.Warn($"{Human.Grouped(part.LostSamples)} samples lost: this reader was too slow. Use --interval or a narrower selector");
            foreach (WatchResponse.Types.WatchedSample sample in part.Samples)
            {
                if (!known.TryGetValue(sample.Index, out var series))
                {
                    throw new CtlException(ExitCode.Failure, "cannot watch", $"the aggregator sent a sample of series {sample.Index} without naming that series");
                }

                printer.Item(new SampleItem(MomentText.Rfc3339(sample.UnixMs), sample.UnixMs, series.Metric, series.Labels, Raw.Finite(sample.Value), series.Unit));
                if (--left == 0) return;
            }
        }
    }
}
