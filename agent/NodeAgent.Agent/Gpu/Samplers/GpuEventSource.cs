using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Agent.Gpu.Xids;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Samplers;

/// <summary>
/// Everything that happens to GPUs, once: what the reader's ring holds, what the supervisor says, and the kernel log's XIDs, which pass
/// through here so that one told by both routes is one event. Other records of the kernel log pass unchanged.
/// </summary>
internal sealed class GpuEventSource(IHostEventSource? kernelLog, XidMerge merge, GpuEventQueue queue, ReaderSupervisor supervisor) : IHostEventSource
{
    private readonly List<HostEvent> _kernel = [];
    private readonly List<HostEvent> _kernelXids = [];
    private readonly List<NvmlXid> _nvmlXids = [];
    private SharedReadings? _source;
    private long _taken;

    public string Name => "gpu";

    /// <summary>Driver events that were overwritten in the ring before they were taken; exact.</summary>
    internal long LostEvents { get; private set; }

    public void Drain(in SampleTime now, ICollection<HostEvent> into)
    {
        kernelLog?.Drain(now, _kernel);
        foreach (HostEvent happened in _kernel)
        {
            if (happened.Kind == HostEventKind.Xid)
            {
                _kernelXids.Add(happened);
            }
            else
            {
                into.Add(happened);
            }
        }

        TakeRing(into);
        merge.Merge(_kernelXids, _nvmlXids, now.WallUnixMs, into);
        queue.Drain(into);
        _kernel.Clear();
        _kernelXids.Clear();
        _nvmlXids.Clear();
    }

    private void TakeRing(ICollection<HostEvent> into)
    {
        SharedReadings? source = supervisor.Current;
        if (!ReferenceEquals(source, _source))
        {
            _source = source;
            _taken = 0; // a new reader begins with what happens from now on
        }

        if (source is null)
        {
            return;
        }

        ref ReadingsHead head = ref source.Head;
        long written = Volatile.Read(ref head.EventCount);
        if (written - _taken > ReadingsHead.MostEvents)
        {
            LostEvents += written - _taken - ReadingsHead.MostEvents;
            _taken = written - ReadingsHead.MostEvents;
        }

        for (; _taken < written; _taken++)
        {
            Take(ref head.Events[(int)(_taken % ReadingsHead.MostEvents)], into);
        }
    }

    private unsafe void Take(ref GpuEvent happened, ICollection<HostEvent> into)
    {
        string pci = GpuOrders.Normalize(SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref happened.BusId[0]), GpuBlock.BusIdBytes)));
        string uuid = SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref happened.Uuid[0]), GpuBlock.UuidBytes));
        switch (happened.Type)
        {
            case NvmlEventTypes.Xid:
                _nvmlXids.Add(new NvmlXid((int)happened.Data, pci, uuid, happened.AtUnixMs, happened.RecoveryAction, happened.GpuInstance, happened.ComputeInstance));
                break;
            case NvmlEventTypes.DoubleBitEcc:
                into.Add(queue.Make(GpuEventKind.DoubleBitEcc, EventSeverity.Critical, $"GPU {pci}: an uncorrectable memory error", happened.AtUnixMs, ("pci", pci), ("uuid", uuid)));
                break;
            case NvmlEventTypes.RecoveryAction:
                into.Add(queue.Make(
                    GpuEventKind.RecoveryAction, happened.RecoveryAction > 0 ? EventSeverity.Critical : EventSeverity.Info,
                    $"GPU {pci}: the driver's recovery action is now {happened.RecoveryAction}", happened.AtUnixMs,
                    ("pci", pci), ("uuid", uuid), ("action", happened.RecoveryAction.ToString())));
                break;
        }
    }
}

/// <summary>
/// No values of its own: its interval makes the agent look for events twice a second on a host with GPUs, so that an XID is told within one.
/// </summary>
internal sealed class GpuEventBeat : ISampler
{
    public string Name => "gpu_events";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now) => SampleStatus.Ok;
}
