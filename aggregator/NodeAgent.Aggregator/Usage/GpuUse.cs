namespace NodeAgent.Aggregator.Usage;

/// <summary>One GPU under one key.</summary>
internal sealed class GpuUse
{
    public double SeenMs { get; private set; }

    public double IdleMs { get; private set; }

    /// <summary>Utilisation times time.</summary>
    public double BusyMs { get; private set; }

    public double Joules { get; set; }

    public EnergySources Energy { get; set; }

    public void AddStep(double utilization, double ms, bool isIdle)
    {
        SeenMs += ms;
        BusyMs += utilization * ms;
        IdleMs += isIdle ? ms : 0;
    }
}
