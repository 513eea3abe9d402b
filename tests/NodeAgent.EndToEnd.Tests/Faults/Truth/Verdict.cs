namespace NodeAgent.EndToEnd.Tests.Faults.Truth;

/// <summary>
/// The two halves of the truth compared, over all agents of a run.
/// </summary>
/// <param name="Acked">Distinct frames that the aggregator acknowledged, as a witness on the wire saw it.</param>
/// <param name="Stored">Distinct ticks that the aggregator returns afterwards.</param>
/// <param name="Lost">Acknowledged and not returned.</param>
/// <param name="Duplicated">Samples returned beyond one a tick.</param>
/// <param name="Unknown">Returned ticks that no frame on the wire had: invented.</param>
/// <param name="NeverSent">Sequences that never went over the wire and that no drop counter of the agent explains.</param>
/// <param name="Reused">Sequences that named two ticks.</param>
/// <param name="Resent">Frames that went over the wire more than once: shows that deduplication had work.</param>
/// <param name="Epochs">Spool epochs of all agents: as many as agents, unless spools were lost.</param>
internal sealed record Verdict(
    long Acked, long Stored, long Lost, long Duplicated, long Unknown, long NeverSent, long Reused, long Resent, int Epochs)
{
    private const int MostDetails = 40;

    private static readonly Verdict Nothing = new(0, 0, 0, 0, 0, 0, 0, 0, 0);

    /// <summary>The first of the frames that are lost, one a line, for whoever has to find out why.</summary>
    internal IReadOnlyList<string> Details { get; private init; } = [];

    /// <summary>Asks the aggregator about each agent and compares.</summary>
    internal static async Task<Verdict> ReachAsync(TickReader reader, IEnumerable<(string Node, LinkLedger Ledger)> agents)
    {
        Verdict sum = Nothing;
        foreach ((string node, LinkLedger ledger) in agents)
        {
            sum += await OfAsync(reader, node, ledger).ConfigureAwait(false);
        }

        return sum;
    }

    public static Verdict operator +(Verdict a, Verdict b) => new(
        a.Acked + b.Acked, a.Stored + b.Stored, a.Lost + b.Lost, a.Duplicated + b.Duplicated, a.Unknown + b.Unknown,
        a.NeverSent + b.NeverSent, a.Reused + b.Reused, a.Resent + b.Resent, a.Epochs + b.Epochs)
    {
        Details = [.. a.Details.Concat(b.Details).Take(4 * MostDetails)],
    };

    /// <summary>Nothing acknowledged is missing, nothing is there twice, nothing was invented.</summary>
    internal void AssertExactlyOnce(string context)
    {
        Assert.True(Acked > 0, $"{context}: nothing was acknowledged, so nothing was proven: {this}");
        Assert.True(Lost == 0 && Duplicated == 0 && Unknown == 0 && Reused == 0, $"{context}: {this}\n{string.Join('\n', Details)}");
    }

    private static async Task<Verdict> OfAsync(TickReader reader, string node, LinkLedger ledger)
    {
        (HashSet<long> acked, HashSet<long> sent, Verdict counts) = ledger.Read(Summarize);
        HashSet<long> ticks = [];
        long samples = 0;
        foreach ((long from, long to) in ledger.Read(Spans))
        {
            StoredTicks part = await reader.ReadAsync(node, from, to).ConfigureAwait(false);
            ticks.UnionWith(part.WallUnixMs);
            samples += part.Samples;
        }

        StoredTicks stored = new(ticks, samples);
        return counts with
        {
            Stored = stored.WallUnixMs.Count,
            Lost = acked.Count(tick => !stored.WallUnixMs.Contains(tick)),
            Duplicated = stored.Samples - stored.WallUnixMs.Count,
            Unknown = stored.WallUnixMs.Count(tick => !sent.Contains(tick)),
            Details = ledger.Read(all => Describe(node, all, stored.WallUnixMs)),
        };
    }

    private static string[] Describe(string node, LinkLedger ledger, IReadOnlySet<long> stored) =>
    [
        .. ledger.Epochs.SelectMany(epoch => epoch.AcknowledgedFrames.Where(frame => !stored.Contains(frame.WallUnixMs)).Select(frame =>
        {
            Promise promise = epoch.Acknowledged[frame.Sequence];
            return $"{node}: sequence {frame.Sequence}, tick {Time(frame.WallUnixMs)}, seen {Time(frame.SeenUnixMs)}, promised by {promise.By} at {Time(promise.UnixMs)}";
        })).Take(MostDetails),
        .. ledger.Unreadable.Select(what => $"{node}: {what}").Take(MostDetails),
    ];

    private static string Time(long unixMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("HH:mm:ss.fff", System.Globalization.CultureInfo.InvariantCulture);

    // Where this node's samples can lie: at the agent's times, and, where its clock lied and the aggregator mended it, at the true ones.
    // Each span is read once, so that nothing is counted twice.
    private static List<(long From, long To)> Spans(LinkLedger ledger)
    {
        const long Gap = 60_000;
        const long Margin = 5_000;
        List<(long From, long To)> spans = [];
        foreach (long moment in ledger.Epochs.SelectMany(epoch => epoch.Frames.Values)
            .SelectMany(frame => new[] { frame.WallUnixMs, frame.SeenUnixMs }).Where(moment => moment > Gap).Order())
        {
            if (spans.Count > 0 && moment - spans[^1].To <= Gap)
            {
                spans[^1] = (spans[^1].From, moment + Margin);
            }
            else
            {
                spans.Add((moment - Margin, moment + Margin));
            }
        }

        return spans;
    }

    private static (HashSet<long> Acked, HashSet<long> Sent, Verdict Counts) Summarize(LinkLedger ledger)
    {
        HashSet<long> acked = [];
        HashSet<long> sent = [];
        Verdict counts = Nothing;
        foreach (EpochLedger epoch in ledger.Epochs)
        {
            acked.UnionWith(epoch.AcknowledgedFrames.Select(frame => frame.WallUnixMs));
            sent.UnionWith(epoch.Frames.Values.Select(frame => frame.WallUnixMs));
            counts += new Verdict(
                epoch.AcknowledgedFrames.Count(), 0, 0, 0, 0, (long)(epoch.NeverSeen - Math.Min(epoch.NeverSeen, epoch.Dropped)), epoch.Reused, epoch.Resent, 1);
        }

        return (acked, sent, counts);
    }
}
