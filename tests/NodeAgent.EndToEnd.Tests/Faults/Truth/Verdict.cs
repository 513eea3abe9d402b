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
    private static readonly Verdict Nothing = new(0, 0, 0, 0, 0, 0, 0, 0, 0);

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
        a.NeverSent + b.NeverSent, a.Reused + b.Reused, a.Resent + b.Resent, a.Epochs + b.Epochs);

    /// <summary>Nothing acknowledged is missing, nothing is there twice, nothing was invented.</summary>
    internal void AssertExactlyOnce(string context)
    {
        Assert.True(Acked > 0, $"{context}: nothing was acknowledged, so nothing was proven: {this}");
        Assert.True(Lost == 0 && Duplicated == 0 && Unknown == 0 && Reused == 0, $"{context}: {this}");
    }

    private static async Task<Verdict> OfAsync(TickReader reader, string node, LinkLedger ledger)
    {
        (HashSet<long> acked, HashSet<long> sent, Verdict counts) = ledger.Read(Summarize);
        if (sent.Count == 0)
        {
            return counts;
        }

        StoredTicks stored = await reader.ReadAsync(node, sent.Min() - 1000, sent.Max() + 1000).ConfigureAwait(false);
        return counts with
        {
            Stored = stored.WallUnixMs.Count,
            Lost = acked.Count(tick => !stored.WallUnixMs.Contains(tick)),
            Duplicated = stored.Samples - stored.WallUnixMs.Count,
            Unknown = stored.WallUnixMs.Count(tick => !sent.Contains(tick)),
        };
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
