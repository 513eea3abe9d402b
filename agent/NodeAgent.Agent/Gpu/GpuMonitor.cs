using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Gpu.Samplers;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Agent.Gpu.Xids;
using NodeAgent.Contracts.Xids;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu;

/// <summary>
/// GPUs in the agent, put together: a reader process and its supervisor, the samplers that hand its values to the tick, the events. Also
/// the place to ask the agent to let go of a GPU before a reset, and to take it back.
/// </summary>
internal sealed class GpuMonitor : IGpuHold, IDisposable
{
    private static readonly TimeSpan Fast = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Detail = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Slow = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan EventBeat = TimeSpan.FromMilliseconds(500);

    private readonly GpuSettings _settings;
    private readonly HostRoots _roots;
    private readonly GpuOrders _orders = new();
    private readonly GpuEventQueue _queue;
    private readonly ReaderSupervisor _supervisor;
    private readonly GpuBus _bus;
    private readonly GpuRoster _roster;
    private readonly ILogger _log;
    private readonly string _bootId;
    private readonly GpuReleaseFile _release;
    private GpuEventSource? _events;
    private WindowsDriverLog? _driverLog;

    internal GpuMonitor(GpuSettings settings, HostRoots roots, string bootId, TimeSpan phase, TimeProvider time, ILogger log, Func<SharedReadings, IReaderProcess>? start = null)
    {
        _settings = settings;
        _roots = roots;
        _log = log;
        _bootId = bootId;
        _queue = new GpuEventQueue(time, bootId);
        _supervisor = new ReaderSupervisor(
            start ?? ReaderProcess.Start, FindLibrary, static work => ThreadPool.UnsafeQueueUserWorkItem(static state => ((Action)state!)(), work),
            time, settings.CallDeadline, phase, _orders, _queue, log);
        _bus = new GpuBus(roots, _orders, _queue, time) { Answering = Answering };
        _roster = new GpuRoster(_supervisor, _orders, _queue, time);
        _release = new GpuReleaseFile(settings.ResolveReleaseDirectory(Environment.GetEnvironmentVariable("RUNTIME_DIRECTORY")), this, time, log);
    }

    /// <summary>Null: this host has no GPUs to read, or they shall not be read; then nothing of all this exists.</summary>
    internal static GpuMonitor? TryCreate(GpuSettings settings, HostRoots roots, string bootId, TimeSpan phase, ILogger log)
    {
        if (settings.Enabled == GpuUse.Never)
        {
            return null;
        }

        bool any = GpuBus.List(roots).Count > 0 || NvmlLocator.Find(settings.Library, out _) is not null;
        return any || settings.Enabled == GpuUse.Always ? new GpuMonitor(settings, roots, bootId, phase, TimeProvider.System, log) : null;
    }

    /// <summary>The samplers, in the order they run.</summary>
    internal IReadOnlyList<SamplerEntry> Samplers =>
    [
        new("gpu", Fast, true, "GPUs: utilisation, memory, power, clocks, throttling, links.", _ => new GpuTierSampler("gpu", GpuTier.Fast, _roster)),
        new("gpu_detail", Detail, true, "GPUs: engines, activity, memory errors, link states.", _ => new GpuTierSampler("gpu_detail", GpuTier.Detail, _roster)),
        new("gpu_slow", Slow, true, "GPUs: limits, modes, identity, latencies.", _ => new GpuTierSampler("gpu_slow", GpuTier.Slow, _roster)),
        new("gpu_processes", Detail, true, "Processes and MIG devices on GPUs.", c => new GpuProcessSampler(_roster, c.Roots)),
        new("gpu_reader", Fast, true, "The process that reads the GPUs.", _ => new GpuReaderSampler(_roster, _supervisor, _bus, _events!, _release)),
        new("gpu_events", EventBeat, true, "Looks for events of GPUs between two ticks.", _ => new GpuEventBeat()),
    ];

    /// <summary>Events of GPUs in place of the kernel log's own source, which is drained through it.</summary>
    internal IHostEventSource[] Join(IHostEventSource[] sources)
    {
        IHostEventSource? kernelLog = sources.OfType<KernelLogSource>().FirstOrDefault();
        XidPolicy policy = ReadPolicy();
        if (OperatingSystem.IsWindows())
        {
            _driverLog = new WindowsDriverLog(new WindowsSystemLog(), policy, _queue, TimeProvider.System);
        }

        XidMerge merge = new(policy, _orders.UuidOf, kernelLog is not null) { BootId = _bootId };
        _events = new GpuEventSource(kernelLog, merge, _queue, _supervisor);
        return [.. sources.Where(source => source is not KernelLogSource), _events];
    }

    /// <summary>Begins. After <see cref="Join"/>.</summary>
    internal void Start()
    {
        _bus.Look();
        _release.Obey(); // what was ordered before the agent started is not taken hold of
        _bus.Start();
    }

    public bool Knows(string busId) => _orders.Knows(busId);

    public void Release(string? busId)
    {
        _orders.Release(busId);
        _queue.Add(GpuEventKind.Released, EventSeverity.Info, $"GPU {busId ?? "all"} is let go of on order", ("pci", busId is null ? "all" : GpuOrders.Normalize(busId)));
    }

    public void Reacquire(string? busId)
    {
        _orders.Reacquire(busId);
        _queue.Add(GpuEventKind.Reacquired, EventSeverity.Info, $"GPU {busId ?? "all"} is taken back", ("pci", busId is null ? "all" : GpuOrders.Normalize(busId)));
    }

    public bool IsReleased(string? busId)
    {
        if (_supervisor.AbandonedCount > 0 || _supervisor.IsStalled)
        {
            return false;
        }

        if (_supervisor.Current is not { } source)
        {
            return _supervisor.CurrentId == 0;
        }

        bool isObeyed = Volatile.Read(ref source.Head.ObeyedOrder) == Volatile.Read(ref source.Head.OrderNumber) && _supervisor.OrdersAreSent;
        bool isReleased = isObeyed && busId is not null && StateOf(source, GpuOrders.Normalize(busId)) is GpuState.Released or GpuState.Excluded;
        GC.KeepAlive(source);
        return isReleased;
    }

    /// <summary>For tests: what the supervisor knows.</summary>
    internal ReaderSupervisor Supervisor => _supervisor;

    internal GpuRoster Roster => _roster;

    public void Dispose()
    {
        _driverLog?.Dispose();
        _bus.Dispose();
        _supervisor.Dispose();
    }

    private string? FindLibrary()
    {
        string? path = NvmlLocator.Find(_settings.Library, out string problem);
        _supervisor.ReportUnavailable(problem);
        return path;
    }

    private List<string>? Answering()
    {
        SharedReadings? source = _supervisor.Current;
        if (source is null || source.Head.Status != (int)ReaderStatus.Reading)
        {
            return null;
        }

        List<string> answering = [];
        for (int gpu = 0; gpu < source.Head.GpuCount; gpu++)
        {
            if (source.TryCopy(gpu, out GpuBlock block) && block.State != (int)GpuState.Gone)
            {
                answering.Add(BusIdOf(block)); // a lost one is known to NVML, and told as lost
            }
        }

        GC.KeepAlive(source);
        return answering;
    }

    private static GpuState? StateOf(SharedReadings source, string busId)
    {
        for (int gpu = 0; gpu < source.Head.GpuCount; gpu++)
        {
            if (source.TryCopy(gpu, out GpuBlock block) && BusIdOf(block) == busId)
            {
                return (GpuState)block.State;
            }
        }

        return null;
    }

    private static unsafe string BusIdOf(GpuBlock block) => GpuOrders.Normalize(SharedReadings.Read(new ReadOnlySpan<byte>(block.BusId, GpuBlock.BusIdBytes)));

    private XidPolicy ReadPolicy()
    {
        if (_settings.XidPolicy is not { } file)
        {
            return XidPolicy.Default;
        }

        string problem;
        try
        {
            if (XidPolicy.TryParse(File.ReadAllText(file), out problem) is { } policy)
            {
                return policy;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = e.Message;
        }

        _log.XidPolicyUnusable(file, problem);
        return XidPolicy.Default;
    }
}
