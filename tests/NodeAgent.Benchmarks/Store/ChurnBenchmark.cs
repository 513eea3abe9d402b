using System.Globalization;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb;

namespace NodeAgent.Benchmarks.Store;

/// <summary>
/// A million series from 2,500 nodes of which 1 % an hour end and others begin, as jobs come and go: in steps of a minute, so that half a day
/// of it is a minute's work. What must hold: memory follows what is alive plus the bound on what is not, and neither a registration nor an
/// append waits long.
/// </summary>
internal static class ChurnBenchmark
{
    private const int SeriesPerNode = 402;
    private const int MinutesPerHour = 60;

    internal static ChurnFigures Measure(string directory, int nodes, int hours)
    {
        int perNodeAndHour = Math.Max(1, SeriesPerNode / 100);
        DurableStoreOptions options = new()
        {
            Directory = directory,
            FlushIntervalMs = 3_600_000, // of rows a minute apart: as many as a head of 1 Hz rows closes with
            MaxInactiveSeries = nodes * perNodeAndHour * hours / 2, // so that the bound is reached half-way
        };
        if (!DurableStore.TryOpen(options, FileOps.ForThisMachine(), TimeProvider.System, out DurableStore? store, out Journal.OpenError? error))
        {
            throw new InvalidOperationException(error.ToString());
        }

        using DurableStore opened = store;
        Node[] fleet = [.. Enumerable.Range(0, nodes).Select(i => new Node(store, i))];
        SecondCost worst = default;
        ulong walId = 0;
        long afterFirstHour = 0;
        for (int minute = 0; minute < hours * MinutesPerHour; minute++)
        {
            long now = FleetFeed.StartUnixMs + ((minute + 1) * 60_000L);
            SecondCost before = SecondCost.Now();
            for (int i = 0; i < nodes; i++)
            {
                if (minute >= MinutesPerHour && i % MinutesPerHour == minute % MinutesPerHour)
                {
                    fleet[i].Churn(store, perNodeAndHour, minute);
                }

                fleet[i].Append(store, now, ++walId);
            }

            SecondCost cost = SecondCost.Now() - before;
            worst = minute > 0 && cost.OwnMs > worst.OwnMs ? cost : worst; // the first minute registers everybody
            store.DurableThrough(walId);
            store.Maintain(now);
            afterFirstHour = minute == MinutesPerHour - 1 ? Memory() : afterFirstHour;
        }

        long after = Memory();
        StorageStatus storage = store.Storage();
        StoreStats stats = store.Stats();
        double live = (double)nodes * SeriesPerNode;
        Console.Error.WriteLine(
            $"{live:N0} series, {hours} h of {perNodeAndHour * nodes:N0} new ones an hour: {afterFirstHour / live:0} B a live series after the first hour, {after / live:0} at the end; "
            + $"{stats.Series:N0} known, {storage.InactiveSeries:N0} of them silent (bound {options.MaxInactiveSeries:N0}), {storage.SeriesForgotten:N0} forgotten; {stats.Schemas:N0} schemas; worst minute {worst}");
        return new ChurnFigures(live, storage.InactiveSeries, options.MaxInactiveSeries, storage.SeriesForgotten, stats.Schemas, afterFirstHour / live, after / live, worst.WallMs, worst.OwnMs);
    }

    private static long Memory() => GC.GetTotalMemory(forceFullCollection: true);

    private sealed class Node
    {
        private readonly string _name;
        private readonly SeriesDefinition[] _series;
        private readonly double[] _values = new double[SeriesPerNode];
        private readonly ulong[] _present = new ulong[(SeriesPerNode + 63) / 64];
        private SchemaHandle _schema;
        private int _next;

        internal Node(DurableStore store, int index)
        {
            _name = $"churn-{index:D5}";
            _series = [.. Enumerable.Range(0, SeriesPerNode).Select(i => Series(i, 0))];
            Array.Fill(_present, ulong.MaxValue);
            _schema = Register(store);
        }

        /// <summary>Some series end, and others of the same metrics begin.</summary>
        internal void Churn(DurableStore store, int count, int job)
        {
            for (int i = 0; i < count; i++, _next = (_next + 1) % SeriesPerNode)
            {
                _series[_next] = Series(_next, job);
            }

            _schema = Register(store);
        }

        internal void Append(DurableStore store, long unixMs, ulong walId)
        {
            for (int i = 0; i < _values.Length; i += 3)
            {
                _values[i] += i % 7;
            }

            if (store.Append(_schema, unixMs, _values, _present, walId) == AppendResult.Expired)
            {
                throw new InvalidOperationException("BUG: a live schema expired");
            }
        }

        private SchemaHandle Register(DurableStore store) => store.Register(_name, "job", 60_000, _series).Handle!;

        private static SeriesDefinition Series(int number, int job) => new(
            $"churn_{number % 50:D2}", MetricKind.Gauge, Unit.None, 1,
            [new Label("item", (number / 50).ToString(CultureInfo.InvariantCulture)), new Label("job", job.ToString(CultureInfo.InvariantCulture))]);
    }
}

/// <summary>What churn cost.</summary>
internal sealed record ChurnFigures(
    double LiveSeries, int InactiveSeries, int InactiveBound, long Forgotten, int Schemas, double BytesRamPerLiveSeriesFirstHour, double BytesRamPerLiveSeries, double WorstMs,
    double WorstOwnMs);
