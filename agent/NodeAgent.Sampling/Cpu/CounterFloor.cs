namespace NodeAgent.Sampling.Cpu;

/// <summary>
/// Keeps counters that the kernel lets step back a little (iowait and idle, whose processor changes under the accounting) from
/// looking like a restart: a value less than the last by no more than the allowed step is held at the last. A larger step back is
/// a real restart, such as a processor that was taken offline, and goes through.
/// </summary>
/// <param name="maxBackStep">In the counter's unit.</param>
internal sealed class CounterFloor(double maxBackStep)
{
    private double[] _last = [];

    public void Clear() => Array.Clear(_last);

    public double Hold(int index, double value)
    {
        if (index >= _last.Length)
        {
            Array.Resize(ref _last, Math.Max(index + 1, Math.Max(16, _last.Length * 2)));
        }

        ref double last = ref _last[index];
        if (value < last && last - value <= maxBackStep)
        {
            return last;
        }

        last = value;
        return value;
    }
}
