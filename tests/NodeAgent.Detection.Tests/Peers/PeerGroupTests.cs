using NodeAgent.Detection.Peers;

namespace NodeAgent.Detection.Tests.Peers;

public sealed class PeerGroupTests
{
    [Fact]
    public void Update_OneMemberTenPercentSlower_IsTheOneAccused()
    {
        (int member, int second) = Accused(slow: 0.1, guilty: 5, phases: true);

        Assert.Equal(5, member);
        Assert.InRange(second, 400, 430);
    }

    [Fact]
    public void Update_EverybodySlowsDownTogether_IsNobodysFault()
    {
        Assert.Equal(-1, Accused(slow: 0, guilty: -1, phases: true).Member);
    }

    [Fact]
    public void Update_MemberThatWasAlwaysSlower_IsNotAccused()
    {
        Assert.Equal(-1, Accused(slow: 0, guilty: -1, phases: false, silicon: 0.1).Member);
    }

    [Fact]
    public void Update_TwoMembers_CannotBeToldApart()
    {
        var group = new PeerGroup(2);
        for (int second = 0; second < 1000; second++)
        {
            Assert.False(group.Update([100, second < 500 ? 100 : 10], out _));
        }
    }

    [Fact]
    public void Update_MembersMissing_TheOthersAreStillCompared()
    {
        var group = new PeerGroup(8);
        int accused = -1;
        for (int second = 0; second < 800 && accused < 0; second++)
        {
            double[] values = [.. Enumerable.Range(0, 8).Select(member => member < 3 ? double.NaN : (100 + Wobble(second, member)) * (member == 6 && second > 400 ? 0.8 : 1))];
            accused = group.Update(values, out PeerVerdict worst) ? worst.Member : -1;
        }

        Assert.Equal(6, accused);
    }

    [Fact]
    public void Lemons_NodeThatFailsInManyWays_IsALemonAndABusyOneIsNot()
    {
        var book = new LemonBook();
        const long Day = 86_400_000;
        for (int week = 0; week < 4; week++)
        {
            book.Note("n7", LemonSign.Xid, week * 7 * Day);
            book.Note("n7", LemonSign.Repair, week * 7 * Day);
            book.Note("n7", LemonSign.JobFailure, week * 7 * Day);
            book.Note("n3", LemonSign.JobFailure, week * 7 * Day);
            book.Note("n3", LemonSign.JobFailure, week * 7 * Day);
        }

        Lemon lemon = Assert.Single(book.Lemons(28 * Day, 100));

        Assert.Equal("n7", lemon.Node);
        Assert.True(lemon.Signs.ContainsKey(LemonSign.Repair));
        Assert.Empty(book.Lemons(200 * Day, 100));
    }

    private static (int Member, int Second) Accused(double slow, int guilty, bool phases, double silicon = 0)
    {
        var group = new PeerGroup(24);
        for (int second = 0; second < 900; second++)
        {
            double load = phases ? (second % 240 < 10 ? 0.1 : 1 + (0.1 * Math.Sin(second / 40.0))) : 1;
            double[] values = new double[24];
            for (int member = 0; member < values.Length; member++)
            {
                double own = member == 9 ? 1 - silicon : 1;
                values[member] = (load * 100 * own * (member == guilty && second >= 400 ? 1 - slow : 1)) + Wobble(second, member);
            }

            if (group.Update(values, out PeerVerdict worst))
            {
                return (worst.Member, second);
            }
        }

        return (-1, -1);
    }

    private static double Wobble(int second, int member) => (((second * 7919L) + (member * 104_729L) + (second * (long)member * 31)) % 211 / 105.0) - 1;
}
