using NodeAgent.Contracts.Sequences;
using NodeAgent.Journal.Reading;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Works out from what was found on disk how to go on. The one thing that must never happen is that a sequence which was sent is given to
/// another record: the aggregator would take the second for a duplicate. Only what is durable is sent, so after a power cut the next
/// sequence is known. It is not when damage took the end, and not when the earlier life may have sent from memory alone, which it
/// does after <see cref="DurableSpool.PatienceWithDisk"/> without a disk. Then the next sequence jumps beyond all that can have been used.
/// </summary>
internal sealed class SpoolStart
{
    /// <summary>
    /// An agent that was killed and started again within this time of its newest record had no time to send from memory alone.
    /// Less than <see cref="DurableSpool.PatienceWithDisk"/>, by what clocks and ticks may differ.
    /// </summary>
    internal static readonly TimeSpan ContinuityLimit = TimeSpan.FromSeconds(8);

    private const int JumpBits = 32;
    private const uint SchemaIdJump = 1024;

    private readonly SpoolFiles _files;

    internal SpoolStart(SpoolFiles files, SpoolLedger ledger, string bootId, ulong nowMonotonicNs)
    {
        _files = files;
        SpoolState? state = files.NewestState;
        TierScan full = files.Scans[0];
        Chapters = CollectChapters(state?.Floor ?? 0);
        ulong superseded = Math.Max(files.Scans[1].SupersededThrough, files.Scans[2].SupersededThrough);
        ulong last = Math.Max(Math.Max(full.LastSequence, superseded), files.Scans[1].LastSequence);
        ulong missingAtTail = full.MissingAtTail(files[0].Recovery);
        bool isEndWhole = missingAtTail == 0 && files[0].Recovery.TornBytes == 0;
        if (state is { IsClean: true })
        {
            missingAtTail = state.NextSequence - 1 - Math.Min(last, state.NextSequence - 1);
        }

        ledger.Restore(state?.Counts ?? default, state?.Settled ?? []);
        CountLost(ledger, state?.Floor ?? 0, last, missingAtTail);

        IsSameBoot = state is not null && bootId.Length > 0 && state.BootId == bootId;
        bool hasHistory = state is not null || last > 0;
        Boot = !hasHistory ? 0 : Math.Max(state?.Boot ?? 0, full.NewestFrame.Boot) + (IsSameBoot ? 0U : 1);
        bool isRecent = IsSameBoot && isEndWhole && full.NewestFrame.MonotonicNs > 0 && full.NewestFrame.Boot == Boot
            && nowMonotonicNs - Math.Min(nowMonotonicNs, full.NewestFrame.MonotonicNs) <= (ulong)ContinuityLimit.TotalNanoseconds;
        IsCertain = !hasHistory || state is { IsClean: true } || isRecent;
        NextSequence = Math.Max(last + missingAtTail + 1, Math.Max(state?.NextSequence ?? 1, 1));
        CloseHoles(ledger, state?.Floor ?? 0);
        LastSchemaId = Math.Max(state?.LastSchemaId ?? 0, files.Scans.Max(scan => scan.MaxSchemaId));
        if (!IsCertain)
        {
            LastSchemaId += SchemaIdJump;
        }
    }

    /// <summary>Oldest first.</summary>
    internal List<Chapter> Chapters { get; }

    internal uint Boot { get; }

    internal bool IsSameBoot { get; }

    /// <summary>The next sequence is known.</summary>
    internal bool IsCertain { get; }

    internal ulong NextSequence { get; }

    internal uint LastSchemaId { get; }

    /// <summary>Records found to be lost just now.</summary>
    internal ulong LostRecords { get; private set; }

    /// <summary>
    /// A sequence beyond all that can have been given out, recognisable as a jump: a multiple of 2^32, plus one. How far is chance, so that
    /// two lives that jump from the same place do not meet.
    /// </summary>
    internal static ulong JumpFrom(ulong next, Random random) => (((next >> JumpBits) + 1 + (ulong)random.Next(4096)) << JumpBits) + 1;

    private List<Chapter> CollectChapters(ulong floor)
    {
        TierScan[] scans = _files.Scans;
        List<Chapter> full = scans[0].Chapters(ulong.MaxValue);
        ulong superseded = Math.Max(scans[1].SupersededThrough, scans[2].SupersededThrough);
        full.RemoveAll(chapter => chapter.LastSequence <= superseded);
        ulong fullBegins = full.Count > 0 ? full[0].FirstSequence : ulong.MaxValue;

        List<Chapter> ten = scans[1].Chapters(fullBegins);
        ten.RemoveAll(chapter => chapter.LastSequence <= scans[2].SupersededThrough);
        ulong tenBegins = ten.Count > 0 ? ten[0].FirstSequence : fullBegins;

        List<Chapter> all = [.. scans[2].Chapters(tenBegins), .. ten, .. full];
        all.RemoveAll(chapter => chapter.LastSequence < floor);
        return all;
    }

    private void CountLost(SpoolLedger ledger, ulong floor, ulong last, ulong missingAtTail)
    {
        for (int tier = 0; tier < SpoolFiles.Tiers; tier++)
        {
            ulong superseded = SupersededAbove(tier);
            foreach (SequenceSpan range in _files.Scans[tier].Missing(_files[tier].Recovery))
            {
                ulong first = Math.Max(range.First, Math.Max(floor, superseded + 1));
                if (first <= range.Last)
                {
                    LostRecords += ledger.Drop(first, range.Last, samples: 0, isLost: true);
                }
            }
        }

        if (missingAtTail > 0)
        {
            LostRecords += ledger.Drop(Math.Max(floor, last + 1), last + missingAtTail, samples: 0, isLost: true);
        }
    }

    // What neither the ids explain nor the state settles: records that were given out in memory and went with the life that had them, and chapters
    // dropped while the disk was too full to take a note of it. They are counted, and owed no more; else a backlog would wait for them for
    // ever. Across a jump nobody knows how many there were, and nothing is counted.
    private void CloseHoles(SpoolLedger ledger, ulong floor)
    {
        ulong expected = floor > 0 || Chapters.Count == 0 ? Math.Max(floor, 1) : Chapters[0].FirstSequence;
        foreach (Chapter chapter in Chapters)
        {
            CloseHole(ledger, expected, chapter.FirstSequence);
            expected = Math.Max(expected, chapter.LastSequence + 1);
        }

        CloseHole(ledger, expected, NextSequence);
    }

    private void CloseHole(SpoolLedger ledger, ulong first, ulong next)
    {
        if (first >= next)
        {
            return;
        }

        foreach (SequenceSpan gone in ledger.Unsettled(first, next - 1))
        {
            if (gone.First >> JumpBits == gone.Last >> JumpBits)
            {
                LostRecords += ledger.Drop(gone.First, gone.Last, samples: 0, isLost: true);
            }
            else
            {
                ledger.Settle(gone.First, gone.Last);
            }
        }
    }

    private ulong SupersededAbove(int tier)
    {
        ulong through = 0;
        for (int coarser = tier + 1; coarser < SpoolFiles.Tiers; coarser++)
        {
            through = Math.Max(through, _files.Scans[coarser].SupersededThrough);
        }

        return through;
    }
}
