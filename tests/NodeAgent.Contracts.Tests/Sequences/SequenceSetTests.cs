using NodeAgent.Contracts.Sequences;

namespace NodeAgent.Contracts.Tests.Sequences;

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

            Assert.Equal(all, set.Covers(from, to));
        }
#pragma warning restore CA5394
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Set_RandomRanges_AgreesWithOneOfSingleNumbers(int seed)
    {
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(seed);
        SequenceSet set = new();
        HashSet<ulong> model = [];
        for (int step = 0; step < 2_000; step++)
        {
            ulong first = (ulong)random.Next(1, 300);
            ulong last = first + (ulong)random.Next(12) - 1;
            if (random.Next(20) == 0)
            {
                set.RemoveBefore(first);
                model.RemoveWhere(sequence => sequence < first);
            }
            else
            {
                set.Add(first, last);
                for (ulong sequence = first; sequence <= last; sequence++)
                {
                    model.Add(sequence);
                }
            }

            ulong asked = (ulong)random.Next(1, 300);
            ulong through = asked + (ulong)random.Next(20);
            Assert.Equal(model.Contains(asked), set.Contains(asked));
            Assert.Equal(Enumerable.Range((int)asked, (int)(through - asked) + 1).All(i => model.Contains((ulong)i)), set.Covers(asked, through));
            Assert.Equal((ulong)model.Count(sequence => sequence >= asked && sequence <= through), set.CountWithin(asked, through));
            ulong contiguous = asked - 1;
            while (model.Contains(contiguous + 1))
            {
                contiguous++;
            }

            Assert.Equal(contiguous, set.LastContiguousFrom(asked));
            Assert.Equal(model.Where(sequence => sequence >= asked).Select(sequence => (ulong?)sequence).Min(), set.FirstFrom(asked));
            for (int i = 1; i < set.Ranges.Length; i++)
            {
                Assert.True(set.Ranges[i - 1].Last + 1 < set.Ranges[i].First, "ranges touch");
            }
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
        Assert.False(set.Contains(1));
    }

    [Fact]
    public void Add_MoreHolesThanTheBound_ForgetsTheLowestButTheFirstAndSaysSo()
    {
        SequenceSet set = new(maxRanges: 100);
        for (ulong i = 0; i <= 100; i++)
        {
            set.Add(1 + (i * 2), 1 + (i * 2));
        }

        Assert.Equal((100, 1L, 1UL), (set.Ranges.Length, set.ForgottenRanges, set.Prefix));
        Assert.False(set.Contains(3));
        Assert.True(set.Contains(5));
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
