using NodeAgent.Placement.Fleet;

namespace NodeAgent.Placement.Requests;

/// <summary>What one replica needs on one node. Equal demands are one type to the search.</summary>
/// <param name="CpuMilli">Thousandths of a core.</param>
/// <param name="MemoryMiB">Host memory.</param>
/// <param name="GpuCount">Devices, 0 to 8.</param>
/// <param name="GpuMilli">Thousandths of each device, 1 to 1000.</param>
/// <param name="Models">Bit set from <see cref="FleetCatalog.ModelSet"/>; all ones: any.</param>
/// <param name="NicMbps">Bandwidth.</param>
public readonly record struct Demand(int CpuMilli, int MemoryMiB, int GpuCount, int GpuMilli, ulong Models = ulong.MaxValue, int NicMbps = 0)
{
    /// <summary>Thousandths of all devices together.</summary>
    public int TotalGpuMilli => GpuCount * GpuMilli;

    /// <summary>True: takes a part of one device.</summary>
    public bool IsShare => GpuCount == 1 && GpuMilli < GpuLanes.Whole;

    /// <summary>Whether a GPU model is acceptable.</summary>
    public bool Accepts(int model) => (Models >> model & 1) != 0;

    /// <summary>Whether so much CPU and these devices are enough; memory and bandwidth are the node's own matter.</summary>
    public bool Fits(int cpuLeft, GpuLanes gpus)
    {
        if (cpuLeft < CpuMilli)
        {
            return false;
        }

        return GpuCount == 0 || System.Numerics.BitOperations.PopCount(gpus.LanesWith(GpuMilli)) >= GpuCount;
    }

    /// <summary>How many copies would fit, as <see cref="Fits"/> counts.</summary>
    public int Copies(int cpuLeft, GpuLanes gpus)
    {
        int byCpu = CpuMilli == 0 ? int.MaxValue : cpuLeft / CpuMilli;
        if (GpuCount == 0)
        {
            return byCpu;
        }

        int devices = 0;
        for (int lane = 0; lane < GpuLanes.Max; lane++)
        {
            devices += gpus[lane] / GpuMilli;
        }

        return Math.Min(byCpu, devices / GpuCount);
    }

    /// <summary>The devices of <see cref="GpuCount"/> that have least left and still enough; the first of equals. 0: they are not there.</summary>
    public uint TightestLanes(GpuLanes gpus)
    {
        if (GpuCount == 1)
        {
            int lane = gpus.Tightest(GpuMilli);
            return lane < 0 ? 0 : 1u << lane;
        }

        uint chosen = 0;
        uint candidates = gpus.LanesWith(GpuMilli);
        for (int taken = 0; taken < GpuCount; taken++)
        {
            int best = -1;
            for (uint rest = candidates; rest != 0; rest &= rest - 1)
            {
                int lane = System.Numerics.BitOperations.TrailingZeroCount(rest);
                best = best < 0 || gpus[lane] < gpus[best] ? lane : best;
            }

            if (best < 0)
            {
                return 0;
            }

            candidates &= ~(1u << best);
            chosen |= 1u << best;
        }

        return chosen;
    }
}
