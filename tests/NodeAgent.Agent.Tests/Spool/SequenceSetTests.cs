using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool;

public sealed class SequenceSetTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Set_RandomRanges_AgreesWithOneOfSingleNumbers(int seed)
    {
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
            for (int i = 1; i < set.Ranges.Count; i++)
            {
                Assert.True(set.Ranges[i - 1].Last + 1 < set.Ranges[i].First, "ranges touch");
            }
        }
    }
}
