using NodeAgent.Aggregator.Usage;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Journal;
using NodeAgent.Journal.Writing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Tests.Usage;

/// <summary>Usage of GPUs whose life is known to the second.</summary>
public sealed class UsageCalculatorTests : IDisposable
{
    private const long Start = 1_767_225_600_000; // a whole hour
    private const long Hour = 3_600_000;

    private readonly MemoryStore _store = new(new MemoryStoreOptions { RetentionMs = 400L * 24 * Hour });

    public void Dispose() => _store.Dispose();

    [Fact]
    public void Gpu_BusyForHalfAnHour_HasItsHoursIdleCostAndCountedEnergy()
    {
        Feed("n1", "u1", 0, 3_600, second => second < 1_800 ? 0.9 : 0.01, second => 300 + (second * 200.0));
        UsageReport report = Run(Hour, price: 2);
        UsageRow row = Assert.Single(report.Rows);
        Assert.Equal(("n1", 1, EnergySources.Counter), (row.Key, row.Gpus, row.Energy));
        Assert.Equal(1, row.GpuHours, 12);
        Assert.Equal(0.5, row.IdleHours, 12);
        Assert.Equal(1, row.IdleCost, 12);
        Assert.Equal(0.455, row.MeanUtilizationRatio, 9);
        Assert.Equal(0.2, row.EnergyKilowattHours, 3); // 200 W for an hour
        Assert.Equal(60_000, report.StepMs);
    }

    [Fact]
    public void Counter_ThatRestarts_LosesNoEnergy()
    {
        Feed("n1", "u1", 0, 3_600, _ => 0.5, second => (second % 1_200) * 100.0); // the driver is loaded again twice
        Assert.Equal(0.1, Assert.Single(Run(Hour).Rows).EnergyKilowattHours, 3);
    }

    [Fact]
    public void Gpu_WithoutACounter_IsMeasuredByItsPowerWhileSeen()
    {
        Feed("n1", "u1", 0, 1_800, _ => 0.5, null, watts: 400);
        UsageRow row = Assert.Single(Run(Hour).Rows);
        Assert.Equal(EnergySources.Power, row.Energy);
        Assert.Equal(0.5, row.GpuHours, 12);
        Assert.Equal(0.2, row.EnergyKilowattHours, 9);
    }

    [Fact]
    public void Rows_ByAnyLabel_AddUpToTheTotal()
    {
        Feed("n1", "u1", 0, 3_600, _ => 0.8, second => second * 100.0, label: "a");
        Feed("n1", "u2", 0, 3_600, _ => 0.4, second => second * 100.0, label: "b");
        Feed("n2", "u3", 0, 1_800, _ => 0.0, null, watts: 50, label: "a");
        UsageReport report = Run(Hour, by: "team", price: 1);
        Assert.Equal(["a", "b"], report.Rows.Select(row => row.Key));
        Assert.Equal((2, EnergySources.Counter | EnergySources.Power), (report.Rows[0].Gpus, report.Rows[0].Energy));
        Assert.Equal(3, report.Total.Gpus);
        Assert.Equal(2.5, report.Total.GpuHours, 12);
        Assert.Equal(report.Rows.Sum(row => row.EnergyKilowattHours), report.Total.EnergyKilowattHours, 12);
        Assert.Equal(report.Rows.Sum(row => row.IdleCost), report.Total.IdleCost, 12);
        Assert.Equal((0.8 + 0.4) / 2.5, report.Total.MeanUtilizationRatio, 9);
    }

    [Fact]
    public void Rows_ByALabelThatNobodyHas_AreOneWithoutAName()
    {
        Feed("n1", "u1", 0, 600, _ => 0.8, null);
        Assert.Equal("", Assert.Single(Run(Hour, by: "job").Rows).Key);
    }

    [Fact]
    public void Rows_ByJob_FollowWhoHeldTheGpuAndAddUpToTheSameTotal()
    {
        // u1: "train" for half an hour, then half of it "serve"; u2: nobody. Energy by the counter, and by power.
        Feed("n1", "u1", 0, 3_600, second => second < 1_800 ? 0.8 : 0.02, second => second * 200.0);
        Feed("n1", "u2", 0, 3_600, _ => 0.01, null, watts: 100);
        using JobLedger ledger = Ledger();
        ledger.Look([new HeldGpus("train", Start, "n1", ["u1"], 1)], Start + 10);
        ledger.Look([new HeldGpus("serve", Start + (Hour / 2), "n1", ["u1"], 0.5)], Start + (Hour / 2));
        UsageReport report = Run(Hour, by: "job", price: 10, jobs: ledger);
        Assert.Equal(["", "serve", "train"], report.Rows.Select(row => row.Key));
        UsageRow nobody = report.Rows[0];
        UsageRow serve = report.Rows[1];
        UsageRow train = report.Rows[2];
        Assert.Equal((0.5, 0.0, 0.8), (Math.Round(train.GpuHours, 9), train.IdleHours, Math.Round(train.MeanUtilizationRatio, 9)));
        Assert.Equal((0.25, 0.25, 2.5), (Math.Round(serve.GpuHours, 9), Math.Round(serve.IdleHours, 9), Math.Round(serve.IdleCost, 9)));
        Assert.Equal(1.25, nobody.GpuHours, 9);
        Assert.Equal((0.1, EnergySources.Counter), (Math.Round(train.EnergyKilowattHours, 3), train.Energy));
        Assert.Equal((0.05, EnergySources.Counter), (Math.Round(serve.EnergyKilowattHours, 3), serve.Energy));
        Assert.Equal((0.15, EnergySources.Counter | EnergySources.Power), (Math.Round(nobody.EnergyKilowattHours, 3), nobody.Energy));

        UsageReport byNode = Run(Hour, price: 10);
        Assert.Equal(byNode.Total.GpuHours, report.Total.GpuHours, 9);
        Assert.Equal(byNode.Total.IdleCost, report.Total.IdleCost, 9);
        Assert.Equal(byNode.Total.EnergyKilowattHours, report.Total.EnergyKilowattHours, 3);
        Assert.Equal(2, report.Total.Gpus);
    }

    [Fact]
    public void Rows_ByJob_OfSeriesThatSayItThemselves_NeedNoPlacement()
    {
        Feed("n1", "u1", 0, 3_600, _ => 0.8, null, job: "own");
        using JobLedger ledger = Ledger();
        ledger.Look([new HeldGpus("train", Start, "n1", ["u1"], 1)], Start + 10);
        Assert.Equal("own", Assert.Single(Run(Hour, by: "job", jobs: ledger).Rows).Key);
    }

    [Theory]
    [InlineData(6, 60_000)]
    [InlineData(30, 300_000)]
    [InlineData(360, 3_600_000)]
    public void Step_OfALongTime_GrowsAndIsTold(int days, long step)
    {
        Feed("n1", "u1", 0, 7_200, _ => 0.8, null);
        UsageCalculator calculator = new(new QueryEngine(_store, new QueryLimits(), TimeProvider.System));
        long to = Start + (24 * Hour);
        UsageReport report = calculator.Run(new UsageQuestion(to - (days * 24 * Hour), to, "node", 0, 0.05), "me", CancellationToken.None);
        Assert.Equal(step, report.StepMs);
        Assert.Equal(2, Assert.Single(report.Rows).GpuHours, 12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(500 * 24 * Hour)]
    public void Time_WithoutAWholeStepOrBeyondAYear_IsRefused(long range)
    {
        UsageCalculator calculator = new(new QueryEngine(_store, new QueryLimits(), TimeProvider.System));
        Assert.Throws<QueryException>(() => calculator.Run(new UsageQuestion(Start - range, Start, "node", 0, 0.05), "me", CancellationToken.None));
    }

    private static JobLedger Ledger()
    {
        Assert.True(
            JobLedger.TryOpen(JobLedger.OptionsIn("/state") with { Commit = CommitPolicy.None }, new SimulatedDisk(1), TimeProvider.System, out JobLedger? ledger, out OpenError? error), error?.Message);
        return ledger;
    }

    private UsageReport Run(long range, string by = "node", double price = 0, JobLedger? jobs = null)
    {
        UsageCalculator calculator = new(new QueryEngine(_store, new QueryLimits(), TimeProvider.System), jobs);
        return calculator.Run(new UsageQuestion(Start, Start + range, by, price, 0.05), "me", CancellationToken.None);
    }

    private void Feed(
        string node, string uuid, int fromSecond, int toSecond, Func<int, double> utilization, Func<int, double>? joules, double? watts = null, string? label = null, string? job = null)
    {
        List<Label> labels = [new("gpu", "0"), new("uuid", uuid)];
        if (label is not null)
        {
            labels.Add(new Label("team", label));
        }

        if (job is not null)
        {
            labels.Add(new Label("job", job));
        }

        SeriesDefinition[] series = [.. new[] { GpuMetrics.UtilizationRatio, GpuMetrics.EnergyJoulesTotal, GpuMetrics.PowerWatts }
            .Select(metric => new SeriesDefinition(metric.Name, metric.Kind, metric.Unit, metric.Scale, labels))];
        RegisterResult registered = _store.Register(node, "gpu" + uuid, 1_000, series);
        Assert.True(registered.IsAccepted, registered.Detail);
        ulong present = 1UL | (joules is null ? 0 : 2UL) | (watts is null ? 0 : 4UL);
        for (int second = fromSecond + 1; second <= toSecond; second++)
        {
            double[] row = [utilization(second - 1), joules?.Invoke(second) ?? 0, watts ?? 0];
            _store.Append(registered.Handle!, Start + (second * 1_000L), row, [present]);
        }
    }
}
