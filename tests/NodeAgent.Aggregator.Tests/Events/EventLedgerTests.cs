using System.Threading.Channels;
using NodeAgent.Aggregator.Events;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Events;

public sealed class EventLedgerTests
{
    [Fact]
    public void Newest_RingOverflown_GivesTheLastOnesNewestFirst()
    {
        EventLedger ledger = new(5);
        Add(ledger, 1, 12);
        Assert.Equal([12L, 11, 10, 9, 8], ledger.Newest(100, _ => true).Select(entry => entry.ReceivedUnixMs));
        Assert.Equal([12L, 10], ledger.Newest(2, entry => entry.ReceivedUnixMs % 2 == 0).Select(entry => entry.ReceivedUnixMs));
        Assert.Empty(new EventLedger(5).Newest(10, _ => true));
    }

    [Fact]
    public void Newest_OneNodeFloods_TheOthersKeepTheirShare()
    {
        EventLedger ledger = new(100);
        for (int i = 1; i <= 10_000; i++)
        {
            ledger.Add("loud", new Event(), i);
            if (i % 1_000 == 0)
            {
                ledger.Add($"quiet-{i / 1_000 % 3}", new Event(), i);
            }
        }

        List<LedgerEntry> all = ledger.Newest(1_000, _ => true);
        Assert.Equal((100, 10), (all.Count, all.Count(entry => entry.Node != "loud")));
        Assert.Equal(all.OrderByDescending(entry => entry.ReceivedUnixMs).Select(entry => entry.ReceivedUnixMs), all.Select(entry => entry.ReceivedUnixMs));

        // Where all have their share, the oldest goes.
        for (int node = 0; node < 300; node++)
        {
            ledger.Add($"n{node}", new Event(), 20_000 + node);
        }

        Assert.Equal(Enumerable.Range(200, 100).Select(node => $"n{node}").Reverse(), ledger.Newest(1_000, _ => true).Select(entry => entry.Node));
    }

    [Fact]
    public void Follow_WhileEventsArrive_HasNoHoleAndNoDoubleBetweenPastAndFuture()
    {
        EventLedger ledger = new(100_000);
        using ManualResetEventSlim half = new();
        Thread writer = new(() =>
        {
            for (int i = 1; i <= 3_000; i++)
            {
                Add(ledger, i, i);
                if (i == 1_000)
                {
                    half.Set();
                }
            }
        });
        writer.Start();
        half.Wait(TimeSpan.FromSeconds(20));
        List<LedgerEntry> past = ledger.Follow(100_000, _ => true, out Channel<LedgerEntry> channel);
        writer.Join();
        List<long> all = [.. past.Select(entry => entry.ReceivedUnixMs).Reverse()];
        while (channel.Reader.TryRead(out LedgerEntry? entry))
        {
            all.Add(entry.ReceivedUnixMs);
        }

        Assert.Equal(Enumerable.Range(1, 3_000).Select(i => (long)i), all);
        Assert.Equal(0, ledger.LostByFollowers);
    }

    [Fact]
    public void Follow_TooSlow_LosesTheOldestAndTheyAreCounted()
    {
        EventLedger ledger = new(10);
        ledger.Follow(10, _ => true, out Channel<LedgerEntry> channel);
        Add(ledger, 1, EventLedger.FollowerBacklog + 30);
        Assert.Equal(30, ledger.LostByFollowers);
        Assert.True(channel.Reader.TryRead(out LedgerEntry? oldest));
        Assert.Equal(31, oldest.ReceivedUnixMs);
    }

    [Fact]
    public void Unfollow_LaterEvents_DoNotArrive()
    {
        EventLedger ledger = new(10);
        ledger.Follow(10, _ => true, out Channel<LedgerEntry> channel);
        ledger.Follow(10, _ => true, out Channel<LedgerEntry> other);
        ledger.Unfollow(channel);
        Add(ledger, 1, 2);
        Assert.Equal((0, 2), (channel.Reader.Count, other.Reader.Count));
    }

    private static void Add(EventLedger ledger, int from, int to)
    {
        for (int i = from; i <= to; i++)
        {
            ledger.Add("n", new Event { Kind = "x" }, i);
        }
    }
}
