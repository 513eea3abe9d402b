using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using NodeAgent.Placement.Fleet;
using NodeAgent.Placement.Requests;

namespace NodeAgent.Placement.Values;

/// <summary>
/// L(s): how many thousandths of GPU a node in state s will have left when nothing more fits, on average over a fixed set of possible
/// futures. Each future is a sequence of arrivals drawn from the workload mix and packed greedily (tightest device) on this node alone.
/// The same futures are used for every node (common random numbers), so differences between states are far less noisy than the values.
/// FGD looks one arrival ahead; this looks until the node is full, and so sees CPU that will strand GPUs and remainders that will combine.
/// </summary>
public sealed class FutureWaste
{
    private readonly Arrival[][] _futures; // per model: all sequences, one after the other, without what the model does not take
    private readonly int[][] _ends;

    /// <param name="mix">What arrives.</param>
    /// <param name="models">Number of GPU models.</param>
    /// <param name="sequences">Futures; 16 decide as well as 64 except under tight model constraints (measured on openb).</param>
    /// <param name="length">Arrivals in each; 64 fill an empty host of eight GPUs.</param>
    /// <param name="seed">Of the draw.</param>
    public FutureWaste(WorkloadMix mix, int models, int sequences = 64, int length = 64, ulong seed = 1)
    {
        double[] cumulative = new double[mix.Entries.Length];
        double sum = 0;
        for (int entry = 0; entry < cumulative.Length; entry++)
        {
            cumulative[entry] = sum += mix.Entries[entry].Share;
        }

        var random = new SplitMix(seed);
        var draws = new Demand[sequences][];
        for (int sequence = 0; sequence < sequences; sequence++)
        {
            draws[sequence] = new Demand[length];
            for (int arrival = 0; arrival < length; arrival++)
            {
                int at = Array.BinarySearch(cumulative, random.NextDouble() * sum);
                draws[sequence][arrival] = mix.Entries[Math.Min(at < 0 ? ~at : at, cumulative.Length - 1)].Demand;
            }
        }

        _futures = new Arrival[models][];
        _ends = new int[models][];
        for (int model = 0; model < models; model++)
        {
            var arrivals = new List<Arrival>();
            _ends[model] = new int[sequences];
            for (int sequence = 0; sequence < sequences; sequence++)
            {
                arrivals.AddRange(draws[sequence].Where(demand => demand.Accepts(model)).Select(demand => new Arrival(demand)));
                _ends[model][sequence] = arrivals.Count;
            }

            _futures[model] = [.. arrivals];
        }
    }

    /// <summary>Mean thousandths of GPU left over.</summary>
    public float Evaluate(int model, int cpuLeft, GpuLanes gpus)
    {
        ReadOnlySpan<Arrival> futures = _futures[model];
        int[] ends = _ends[model];
        long left = 0;
        int start = 0;
        foreach (int end in ends)
        {
            left += Pack(futures[start..end], cpuLeft, gpus).Total;
            start = end;
        }

        return (float)((double)left / ends.Length);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static GpuLanes Pack(ReadOnlySpan<Arrival> arrivals, int cpuLeft, GpuLanes gpus)
    {
        foreach (ref readonly Arrival arrival in arrivals)
        {
            if (arrival.Cpu > cpuLeft)
            {
                continue;
            }

            if (arrival.Count == 1)
            {
                int lane = gpus.Tightest(arrival.Milli);
                if (lane < 0)
                {
                    continue;
                }

                gpus = gpus.Take(lane, arrival.Milli);
                cpuLeft -= arrival.Cpu;
                if (gpus.Vector == Vector128<ushort>.Zero)
                {
                    break;
                }
            }
            else if (arrival.Count == 0)
            {
                cpuLeft -= arrival.Cpu;
            }
            else
            {
                uint lanes = gpus.LanesWith(arrival.Milli);
                if (BitOperations.PopCount(lanes) >= arrival.Count)
                {
                    gpus = TakeSome(gpus, lanes, arrival.Count, arrival.Milli);
                    cpuLeft -= arrival.Cpu;
                }
            }
        }

        return gpus;
    }

    private static GpuLanes TakeSome(GpuLanes gpus, uint candidates, int count, int milli)
    {
        uint rest = candidates;
        for (int taken = 0; taken < count; taken++)
        {
            rest &= rest - 1;
        }

        return gpus.TakeEach(candidates & ~rest, milli);
    }

    private readonly struct Arrival(Demand demand)
    {
        public readonly int Cpu = demand.CpuMilli;
        public readonly ushort Milli = (ushort)demand.GpuMilli;
        public readonly ushort Count = (ushort)demand.GpuCount;
    }
}
