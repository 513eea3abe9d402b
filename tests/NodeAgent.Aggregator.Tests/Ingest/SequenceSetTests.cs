using NodeAgent.Aggregator.Ingest;

namespace NodeAgent.Aggregator.Tests.Ingest;

public sealed class SequenceSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Add_AnyOrder_HoldsExactlyWhatWasAdded(int seed)
    {
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(seed);
        for (int round = 0; round < 300; round++)
        {
            SequenceSet set = new();
            HashSet<ulong> model = [];
            int range = random.Next(5, 200);
            for (int i = random.Next(60); i > 0; i--)
            {
                ulong first = (ulong)random.Next(1, range);
                ulong last = first + (ulong)random.Next(-1, 6);
                set.Add(first, last);
                for (ulong s = first; s <= last; s++)
                {
                    model.Add(s);
                }
            }

            AssertSame(model, set, range + 8);
            ulong from = (ulong)random.Next(1, range);
            ulong to = from + (ulong)random.Next(0, 9);
            bool all = true;
            for (ulong s = from; s <= to; s++)
            {
                all &= model.Contains(s);
            }

            Assert.Equal(all, set.Contains(from, to));
        }
#pragma warning restore CA5394
    }

    [Fact]
    public void Add_AtTheEndsOfTheNumbers_DoesNotWrap()
    {
        SequenceSet set = new();
        set.Add(ulong.MaxValue - 1, ulong.MaxValue);
        set.Add(0, 0);
        set.Add(ulong.MaxValue - 2, ulong.MaxValue - 2);
        Assert.Equal([new SequenceSpan(0, 0), new SequenceSpan(ulong.MaxValue - 2, ulong.MaxValue)], set.Ranges.ToArray());
        Assert.False(set.Contains(1, 1));
    }

    [Fact]
    public void Add_MoreHolesThanTheBound_ForgetsTheLowestButTheFirstAndSaysSo()
    {
        SequenceSet set = new();
        for (ulong i = 0; i <= SequenceSet.MaxRanges; i++)
        {
            set.Add(1 + (i * 2), 1 + (i * 2));
        }

        Assert.Equal((SequenceSet.MaxRanges, 1L, 1UL), (set.Ranges.Length, set.ForgottenRanges, set.Prefix));
        Assert.False(set.Contains(3, 3));
        Assert.True(set.Contains(5, 5));
    }

    private static void AssertSame(HashSet<ulong> model, SequenceSet set, int upTo)
    {
        ulong prefix = 0;
        while (model.Contains(prefix + 1))
        {
            prefix++;
        }

        Assert.Equal(prefix, set.Prefix);
        List<ulong> held = [];
        ulong before = 0;
        foreach (SequenceSpan range in set.Ranges)
        {
            Assert.True(held.Count == 0 || range.First > before + 1, "ranges touch or are out of order");
            before = range.Last;
            for (ulong s = range.First; s <= range.Last; s++)
            {
                held.Add(s);
            }
        }

        Assert.Equal(model.Order(), held);
        Assert.True(upTo > 0);
    }
}
