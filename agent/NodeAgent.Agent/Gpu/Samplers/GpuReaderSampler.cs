using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Samplers;

/// <summary>The reader about itself: whether it answers, how old its values are, what it costs, how long the driver takes.</summary>
internal sealed class GpuReaderSampler : ISampler
{
    private static readonly string[] TierNames = ["fast", "detail", "slow"];

    private readonly GpuRoster _roster;
    private readonly ReaderSupervisor _supervisor;
    private readonly GpuBus _bus;
    private readonly GpuEventSource _events;
    private readonly GpuReleaseFile _release;
    private readonly int[] _callColumns = new int[NvmlExports.CallCount];
    private int _first;
    private int _ages;
    private int _version = -1;

    internal GpuReaderSampler(GpuRoster roster, ReaderSupervisor supervisor, GpuBus bus, GpuEventSource events, GpuReleaseFile release)
    {
        _roster = roster;
        _supervisor = supervisor;
        _bus = bus;
        _events = events;
        _release = release;
        Build();
    }

    public string Name => "gpu_reader";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        _release.Look();
        if (_version != _roster.Version)
        {
            Build();
        }

        Series.Set(_first, _supervisor.IsUp ? 1 : 0);
        Series.Set(_first + 1, _supervisor.Starts);
        Series.Set(_first + 2, _supervisor.Stalls);
        Series.Set(_first + 3, _supervisor.AbandonedCount);
        Series.Set(_first + 4, _events.LostEvents);
        Series.Set(_first + 5, _bus.Count);
        Series.Set(_first + 6, _roster.AnsweringCount);
        if (_roster.Source is { } source)
        {
            SetReader(ref source.Head);
        }

        for (int gpu = 0; gpu < _roster.Count; gpu++)
        {
            for (int tier = 0; tier < GpuBlock.Tiers && _roster.Block(gpu).State == (int)GpuState.Answering; tier++)
            {
                Series.Set(_ages + (gpu * GpuBlock.Tiers) + tier, Math.Round(_roster.AgeMs(gpu, (GpuTier)tier)) / 1000);
            }
        }

        return _supervisor.IsStalled ? SampleStatus.Stalled : SampleStatus.Ok;
    }

    private unsafe void SetReader(ref ReadingsHead head)
    {
        Series.Set(_first + 7, head.Generation);
        Series.Set(_first + 8, head.CpuMicroseconds / 1e6);
        Series.Set(_first + 9, head.AllocatedBytes);
        long counted = 0;
        for (int tier = 0; tier < GpuBlock.Tiers; tier++)
        {
            Series.Set(_first + 10 + tier, head.CallsByTier[tier]);
            counted += head.CallsByTier[tier];
        }

        Series.Set(_first + 10 + GpuBlock.Tiers, Math.Max(0, head.Call.Returned - counted));
        for (int call = 1; call < NvmlExports.CallCount; call++)
        {
            if (_callColumns[call] > 0 && head.SlowestCallUs[call] > 0)
            {
                Series.Set(_callColumns[call], head.SlowestCallUs[call] / 1e6);
            }
        }
    }

    private void Build()
    {
        _version = _roster.Version;
        Series.Rebuild();
        _first = Series.Add(GpuMetrics.ReaderUp);
        Series.Add(GpuMetrics.ReaderStartsTotal);
        Series.Add(GpuMetrics.ReaderStallsTotal);
        Series.Add(GpuMetrics.ReaderAbandoned);
        Series.Add(GpuMetrics.LostEventsTotal);
        Series.Add(GpuMetrics.GpusOnBus);
        Series.Add(GpuMetrics.GpusAnswering);
        Series.Add(GpuMetrics.ReaderGeneration);
        Series.Add(GpuMetrics.ReaderCpuSecondsTotal);
        Series.Add(GpuMetrics.ReaderAllocatedBytesTotal);
        foreach (string tier in TierNames)
        {
            Series.Add(GpuMetrics.CallsTotal, new Label("tier", tier));
        }

        Series.Add(GpuMetrics.CallsTotal, new Label("tier", "other"));
        foreach (NvmlCall call in TimedCalls)
        {
            _callColumns[(int)call] = Series.Add(GpuMetrics.CallLatencySeconds, new Label("call", NvmlExports.NameOf(call)));
        }

        _ages = Series.Count;
        for (int gpu = 0; gpu < _roster.Count; gpu++)
        {
            foreach (string tier in TierNames)
            {
                Series.Add(GpuMetrics.ReadingAgeSeconds, _roster.Labels(gpu)[0], _roster.Labels(gpu)[2], new Label("tier", tier));
            }
        }
    }

    // Those that are made again and again; the wait for events is long by design.
    private static IEnumerable<NvmlCall> TimedCalls =>
        Enum.GetValues<NvmlCall>().Where(call => call is >= NvmlCall.DeviceGetFieldValues and < NvmlCall.SetPowerManagementLimit and not NvmlCall.EventSetWait);
}
