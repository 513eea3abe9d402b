using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Mig;
using NodeAgent.Placement.Policies;
using NodeAgent.Placement.Requests;
using NodeAgent.Placement.Values;

namespace NodeAgent.Placement.Tests.Values;

public sealed class ValueTests
{
    [Fact]
    public void FutureWaste_OneShapeThatFillsExactly_IsZeroAndTheRestOtherwise()
    {
        var waste = new FutureWaste(new WorkloadMix([(new Demand(1000, 0, 1, 400), 1)]), models: 1);

        Assert.Equal(0, waste.Evaluate(0, 96000, GpuLanes.WholeGpus(1).Take(0, 200)));
        Assert.Equal(200, waste.Evaluate(0, 96000, GpuLanes.WholeGpus(1)));
        Assert.Equal(1600, waste.Evaluate(0, 1500, GpuLanes.WholeGpus(2))); // CPU for one share only
    }

    [Fact]
    public void FragmentMeasure_ByHand_IsTheExpectedUnusable()
    {
        // Half of the arrivals take 500 of one device, half take two whole ones: of 1000 and 300 left, the first cannot use 300, the second 1300.
        var measure = new FragmentMeasure([new MixEntry(new Demand(1000, 0, 1, 500), 0.5), new MixEntry(new Demand(1000, 0, 2, 1000), 0.5)]);
        GpuLanes gpus = GpuLanes.WholeGpus(2).Take(1, 700);

        Assert.Equal((0.5 * 300) + (0.5 * 1300), measure.Evaluate(0, 8000, gpus), 9);
        Assert.Equal(1300, measure.Evaluate(0, 500, gpus), 9); // no CPU for either
    }

    [Fact]
    public void ScarcityPrices_LastLargeHost_HasAPriceAndPlentyHasNone()
    {
        FleetCatalog catalog = TestFleet.Hosts(200);
        var mix = new WorkloadMix([(new Demand(4000, 0, 1, 1000), 99), (new Demand(64000, 0, 8, 1000), 1)]);
        var prices = new ScarcityPrices(mix);
        GpuLanes whole = GpuLanes.WholeGpus(8), used = whole.Take(0, 1000);
        for (int node = 0; node < 200; node++)
        {
            prices.Count(0, 96000, whole, +1);
        }

        prices.Refresh();
        Assert.Equal(0, prices.OfHosts(0, 96000, whole, 92000, used));
        for (int node = 0; node < 197; node++)
        {
            prices.Count(0, 96000, whole, -1);
            prices.Count(0, 92000, used, +1);
        }

        prices.Refresh(); // 14 large jobs expected, three hosts left
        Assert.InRange(prices.OfHosts(0, 96000, whole, 92000, used), 7000, 8000);
        Assert.Equal(0, prices.OfHosts(0, 92000, used, 88000, used.Take(1, 1000)));
        _ = catalog;
    }

    [Fact]
    public void NormalTail_KnownPoints_AreRight()
    {
        Assert.Equal(0.5, ScarcityPrices.NormalTail(0), 6);
        Assert.Equal(0.0227501, ScarcityPrices.NormalTail(2), 6);
        Assert.Equal(0.9772499, ScarcityPrices.NormalTail(-2), 6);
    }

    [Fact]
    public void OnlineMix_ManyArrivals_ForgetsThePriorAndFollows()
    {
        FleetCatalog catalog = TestFleet.Hosts(4);
        var mix = new OnlineMix(OnlineMix.LargePrior(catalog, 500), halfLife: 1000);
        double large = mix.Build().Entries.Where(entry => entry.Demand.GpuCount >= 2).Sum(entry => entry.Share);
        Assert.InRange(large, 0.01, 0.1);

        for (int arrival = 0; arrival < 10_000; arrival++)
        {
            mix.Observe(new Demand(2000, 77, 1, 500));
        }

        MixEntry first = mix.Build().Entries[0];
        Assert.Equal(new Demand(2000, 0, 1, 500), first.Demand);
        Assert.True(first.Share > 0.99);
    }

    [Fact]
    public void PolicyChooser_ByRegime_FillsWithValueAndChurnsWithBlend()
    {
        var chooser = new PolicyChooser();
        for (int job = 0; job < 3000; job++)
        {
            chooser.Arrived();
        }

        Assert.Equal(PolicyName.Value, chooser.Current);
        for (int job = 0; job < 3000; job++)
        {
            chooser.Arrived();
            chooser.Departed();
        }

        Assert.Equal(PolicyName.Blend, chooser.Current);
    }

    [Fact]
    public void PolicyBandit_OneArmBetter_IsUsedMost()
    {
        var bandit = new PolicyBandit(3);
        var random = new SplitMix(2);
        for (int round = 0; round < 2000; round++)
        {
            int arm = bandit.Next();
            bandit.Reward(arm, (arm == 1 ? 0.6 : 0.4) + (0.2 * random.NextDouble()));
        }

        Assert.True(bandit.Uses[1] > 1200, string.Join(' ', bandit.Uses));
    }

    [Fact]
    public void MigValue_FillingDevices_PlacesMoreThanTheFirstStart()
    {
        double[] shares = [0.3, 0.1, 0.2, 0.2, 0.1, 0.1];
        var value = new MigValue(shares);
        Assert.Equal(0, value.WasteOf(0xFF | (7 << 8)));

        int byValue = 0, byFirst = 0;
        for (ulong seed = 1; seed <= 200; seed++)
        {
            byValue += Fill(shares, seed, (state, profile) => value.TryBest(state, profile, 0, out int start, out _) ? start : -1);
            byFirst += Fill(shares, seed, MigBaseline.FirstStart);
        }

        Assert.True(byValue > byFirst, $"{byValue} slices instead of {byFirst}");
    }

    private static int Fill(double[] shares, ulong seed, Func<int, MigProfile, int> start)
    {
        var random = new SplitMix(seed);
        int state = 0;
        for (int arrival = 0; arrival < 30; arrival++)
        {
            double draw = random.NextDouble();
            int index = 0;
            while (index < shares.Length - 1 && (draw -= shares[index]) > 0)
            {
                index++;
            }

            int at = start(state, MigProfile.All[index]);
            state += at < 0 ? 0 : MigProfile.All[index].Bits(at);
        }

        return MigProfile.Used(state);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1e-9, 0)]
    [InlineData(0.001, 5)]
    [InlineData(10, 15)]
    public void RiskScale_Classify_IsWithinAFactorOfTwo(double loss, int expected) => Assert.Equal(expected, RiskScale.Classify(loss));
}
