using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Values;

/// <summary>
/// Prices of what becomes scarce, as airlines price the last seats. A host on which a large request would still fit costs the probability
/// that such a request comes and finds none; a scarce GPU model costs requests that could go elsewhere the probability that those that
/// cannot will lack it. Zero while there is plenty.
/// </summary>
public sealed class ScarcityPrices
{
    // Beyond six standard deviations the normal tail is below 1e-9: not worth a thousandth of a GPU.
    private const double Certain = 6;

    private readonly BigClass[] _classes;
    private readonly ModelSetClass[] _sets;
    private readonly long[] _freeOfModel = new long[FleetCatalog.MaxModels];
    private readonly List<int> _active = [];
    private readonly double _meanGpuMilli;
    private long _freeMilli;

    /// <param name="mix">What is expected.</param>
    /// <param name="bigFactor">Weight of the price of large hosts; 1 by definition, 0 switches it off.</param>
    /// <param name="modelFactor">Weight of the price of models.</param>
    public ScarcityPrices(WorkloadMix mix, double bigFactor = 1, double modelFactor = 1)
    {
        _meanGpuMilli = Math.Max(1e-9, mix.MeanGpuMilli);
        BigFactor = bigFactor;
        ModelFactor = modelFactor;
        MixEntry[] big = [.. mix.Entries.Where(entry => entry.Demand.GpuCount >= 2)];
        _classes = [.. big.Select(entry => entry.Demand).Distinct().Select(demand => new BigClass(demand, big
            .Where(other => other.Demand.GpuCount == demand.GpuCount && other.Demand.CpuMilli >= demand.CpuMilli && (other.Demand.Models & ~demand.Models) == 0)
            .Sum(other => other.Share)))];
        _sets = [.. mix.Entries.Where(entry => entry.Demand is { GpuCount: > 0, Models: not ulong.MaxValue }).Select(entry => entry.Demand.Models).Distinct()
            .Select(set => new ModelSetClass(set, [.. mix.Entries.Where(entry => entry.Demand.GpuCount > 0 && (entry.Demand.Models & ~set) == 0)]))];
    }

    /// <summary>Arrivals still expected in the period that the prices protect. NaN: until the free GPUs are used up (filling).</summary>
    public double Horizon { get; set; } = double.NaN;

    public double BigFactor { get; }

    public double ModelFactor { get; }

    /// <summary>Whether any price of a host is above zero.</summary>
    public bool AnyBig => _active.Count > 0;

    /// <summary>A node entered (+1) or left (−1) a state.</summary>
    internal void Count(int model, int cpu, GpuLanes gpus, int sign)
    {
        int total = gpus.Total;
        _freeMilli += sign * total;
        _freeOfModel[model] += sign * total;
        int whole = gpus.WholeCount;
        if (whole < 2)
        {
            return;
        }

        foreach (BigClass big in _classes)
        {
            if (big.Demand.Accepts(model))
            {
                big.Copies += sign * big.CopiesIn(cpu, whole);
            }
        }
    }

    /// <summary>Brings the prices up to date with what is free. Call before each decision.</summary>
    internal void Refresh()
    {
        double arrivals = double.IsNaN(Horizon) ? _freeMilli / _meanGpuMilli : Horizon;
        _active.Clear();
        for (int index = 0; BigFactor > 0 && index < _classes.Length; index++)
        {
            BigClass big = _classes[index];
            double expected = arrivals * big.Rate;
            double deviation = Math.Sqrt(expected) + 1e-9;
            if (big.Copies - 0.5 > expected + (Certain * deviation) || big.Copies == 0)
            {
                big.Price = 0;
                continue;
            }

            big.Price = BigFactor * big.Demand.TotalGpuMilli * NormalTail((big.Copies - 0.5 - expected) / deviation);
            _active.Add(index);
        }

        RefreshModels(arrivals);
    }

    /// <summary>What a request pays on a model, whichever node.</summary>
    internal double OfModel(int model, in Demand demand)
    {
        double price = 0;
        foreach (ModelSetClass set in _sets)
        {
            if (set.Price > 0 && (set.Models >> model & 1) != 0 && (demand.Models & ~set.Models) != 0)
            {
                price = Math.Max(price, set.Price);
            }
        }

        return ModelFactor * price * demand.TotalGpuMilli;
    }

    /// <summary>Classes of large requests.</summary>
    internal int Classes => _classes.Length;

    /// <summary>How many copies of each class a state has room for.</summary>
    internal void CopiesOf(int model, int cpu, GpuLanes gpus, Span<byte> copies)
    {
        int whole = gpus.WholeCount;
        for (int index = 0; index < _classes.Length; index++)
        {
            copies[index] = whole >= 2 && _classes[index].Demand.Accepts(model) ? (byte)_classes[index].CopiesIn(cpu, whole) : (byte)0;
        }
    }

    /// <summary>
    /// The least that any node with room for these copies charges for hosts, when so many whole devices stay: what is left of
    /// the devices bounds the copies that can be left.
    /// </summary>
    internal double LeastOfHosts(ReadOnlySpan<byte> copies, int wholeAfter)
    {
        double price = 0;
        foreach (int index in _active)
        {
            BigClass big = _classes[index];
            price += big.Price * Math.Max(0, copies[index] - (wholeAfter / big.Demand.GpuCount));
        }

        return price;
    }

    /// <summary>What a request pays for the large hosts that it takes from others.</summary>
    internal double OfHosts(int model, int cpuBefore, GpuLanes before, int cpuAfter, GpuLanes after)
    {
        int wholeBefore = before.WholeCount;
        if (wholeBefore < 2)
        {
            return 0;
        }

        int wholeAfter = after.WholeCount;
        double price = 0;
        foreach (int index in _active)
        {
            BigClass big = _classes[index];
            if (big.Price > 0 && big.Demand.Accepts(model))
            {
                price += big.Price * (big.CopiesIn(cpuBefore, wholeBefore) - big.CopiesIn(cpuAfter, wholeAfter));
            }
        }

        return price;
    }

    /// <summary>Φ(−x): the probability that a standard normal exceeds x (Abramowitz and Stegun 26.2.17, error below 7.5e-8).</summary>
    internal static double NormalTail(double x)
    {
        double t = 1 / (1 + (0.2316419 * Math.Abs(x)));
        double density = Math.Exp(-x * x / 2) * 0.3989422804014327;
        double tail = density * t * (0.319381530 + (t * (-0.356563782 + (t * (1.781477937 + (t * (-1.821255978 + (t * 1.330274429))))))));
        return x >= 0 ? tail : 1 - tail;
    }

    private void RefreshModels(double arrivals)
    {
        foreach (ModelSetClass set in _sets)
        {
            if (ModelFactor == 0)
            {
                continue;
            }

            long free = 0;
            for (ulong rest = set.Models; rest != 0; rest &= rest - 1)
            {
                free += _freeOfModel[System.Numerics.BitOperations.TrailingZeroCount(rest)];
            }

            // Demand is a compound Poisson sum: its mean and variance are the arrivals times the first and second moment.
            double expected = arrivals * set.Mean;
            double deviation = Math.Sqrt(arrivals * set.SecondMoment) + 1e-9;
            double distance = (free - expected) / deviation;
            set.Price = distance > Certain ? 0 : NormalTail(distance);
        }
    }

    private sealed class BigClass(Demand demand, double rate)
    {
        public Demand Demand { get; } = demand;

        /// <summary>Share of the arrivals that need as many GPUs and at least as much CPU, on these models only.</summary>
        public double Rate { get; } = rate;

        public long Copies { get; set; }

        public double Price { get; set; }

        public int CopiesIn(int cpu, int whole)
        {
            int byGpu = whole / Demand.GpuCount;
            return byGpu == 0 ? 0 : Math.Min(byGpu, Demand.CpuMilli == 0 ? byGpu : cpu / Demand.CpuMilli);
        }
    }

    private sealed class ModelSetClass(ulong models, MixEntry[] inside)
    {
        public ulong Models { get; } = models;

        public double Mean { get; } = inside.Sum(entry => entry.Share * entry.Demand.TotalGpuMilli);

        public double SecondMoment { get; } = inside.Sum(entry => entry.Share * entry.Demand.TotalGpuMilli * entry.Demand.TotalGpuMilli);

        public double Price { get; set; }
    }
}
