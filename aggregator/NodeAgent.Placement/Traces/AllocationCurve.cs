namespace NodeAgent.Placement.Traces;

/// <summary>
/// GPU allocation against arrived load, measured as the FGD authors do: per arrived percentage (rounded to whole percents, half to even)
/// the mean over all arrivals of the allocation after the arrival, rounded to hundredths.
/// </summary>
public sealed class AllocationCurve(long gpuMilli)
{
    private const int Most = 200;

    private readonly double[] _sum = new double[Most + 1];
    private readonly int[] _count = new int[Most + 1];

    /// <summary>After an arrival: thousandths arrived and thousandths in use.</summary>
    public void Add(long arrivedMilli, long usedMilli)
    {
        int arrived = (int)Math.Round(100.0 * arrivedMilli / gpuMilli, MidpointRounding.ToEven);
        if (arrived <= Most)
        {
            _sum[arrived] += Math.Round(100.0 * usedMilli / gpuMilli, 2, MidpointRounding.ToEven);
            _count[arrived]++;
        }
    }

    /// <summary>Allocation in percent at an arrived percentage. NaN: nothing arrived near it.</summary>
    public double At(int arrivedPercent)
    {
        (double sum, int count) = (_sum[arrivedPercent], _count[arrivedPercent]);
        if (count == 0)
        {
            for (int near = Math.Max(0, arrivedPercent - 1); near <= Math.Min(Most, arrivedPercent + 1); near++)
            {
                (sum, count) = (sum + _sum[near], count + _count[near]);
            }
        }

        return count == 0 ? double.NaN : Math.Round(sum / count, 2, MidpointRounding.ToEven);
    }
}
