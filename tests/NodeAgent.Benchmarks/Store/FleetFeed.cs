using NodeAgent.Testing.Fleet;
using NodeAgent.Tsdb;

namespace NodeAgent.Benchmarks.Store;

/// <summary>A synthetic fleet in step with a store. Values of some seconds are made at a time, so that making and storing are told apart.</summary>
internal sealed class FleetFeed
{
    /// <summary>2026-01-01, the start of a window and of a day.</summary>
    internal const long StartUnixMs = 1_767_225_600_000;

    private const int BatchSeconds = 20;

    private readonly SyntheticFleet _fleet;
    private readonly double[] _values;
    private readonly long[] _times;
    private readonly ulong[] _hostPresent = Present(SyntheticNode.HostSeries);
    private readonly ulong[] _gpuPresent = Present(SyntheticNode.Gpus * SyntheticNode.SeriesPerGpu);
    private SchemaHandle[] _host = [];
    private SchemaHandle[] _gpu = [];
    private ulong _walId;

    internal FleetFeed(int nodes, int seed)
    {
        _fleet = new SyntheticFleet(nodes, seed);
        _values = new double[nodes * BatchSeconds * SyntheticFleet.SeriesPerNode];
        _times = new long[nodes * BatchSeconds];
    }

    internal ulong WalId => _walId;

    internal int Nodes => _fleet.Nodes.Count;

    internal void Register(ITimeSeriesStore store)
    {
        _host = [.. _fleet.Nodes.Select(node => store.Register(node.Name, "host", 1_000, node.Host).Handle!)];
        _gpu = [.. _fleet.Nodes.Select(node => store.Register(node.Name, "gpu", 1_000, node.Gpu).Handle!)];
    }

    /// <summary>Makes and stores some seconds; the time is told to the store after each.</summary>
    /// <param name="store">Where to.</param>
    /// <param name="seconds">How many.</param>
    /// <param name="cpu">Leaves out the making.</param>
    /// <param name="onSecond">After each second, with what its appends took.</param>
    internal void Run(DurableStore store, int seconds, ThreadCpu cpu, Action<SecondCost>? onSecond = null)
    {
        for (int done = 0; done < seconds; done += BatchSeconds)
        {
            int batch = Math.Min(BatchSeconds, seconds - done);
            cpu.Exclude(() => Make(batch));
            for (int second = 0; second < batch; second++)
            {
                SecondCost before = SecondCost.Now();
                long now = Store(store, second);
                onSecond?.Invoke(SecondCost.Now() - before);
                store.Maintain(now);
            }
        }
    }

    private void Make(int seconds)
    {
        for (int node = 0; node < _fleet.Nodes.Count; node++)
        {
            SyntheticNode source = _fleet.Nodes[node];
            for (int second = 0; second < seconds; second++)
            {
                source.Next();
                int row = (second * _fleet.Nodes.Count) + node;
                _times[row] = StartUnixMs + (source.Second * 1_000) + source.OffsetMs + 1;
                Span<double> values = _values.AsSpan(row * SyntheticFleet.SeriesPerNode, SyntheticFleet.SeriesPerNode);
                source.HostValues.CopyTo(values);
                source.GpuValues.CopyTo(values[SyntheticNode.HostSeries..]);
            }
        }
    }

    private long Store(DurableStore store, int second)
    {
        long now = 0;
        for (int node = 0; node < _host.Length; node++)
        {
            int row = (second * _host.Length) + node;
            ReadOnlySpan<double> values = _values.AsSpan(row * SyntheticFleet.SeriesPerNode, SyntheticFleet.SeriesPerNode);
            _walId++;
            store.Append(_host[node], _times[row], values[..SyntheticNode.HostSeries], _hostPresent, _walId);
            store.Append(_gpu[node], _times[row], values[SyntheticNode.HostSeries..], _gpuPresent, _walId);
            now = Math.Max(now, _times[row]);
        }

        return now;
    }

    private static ulong[] Present(int columns)
    {
        ulong[] present = new ulong[(columns + 63) / 64];
        Array.Fill(present, ulong.MaxValue);
        return present;
    }
}
