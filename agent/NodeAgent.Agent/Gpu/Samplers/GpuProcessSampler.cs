using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Cgroups;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Samplers;

/// <summary>
/// Processes and MIG devices: what has columns that come and go. A process is looked up in /proc once, when its id first appears or has
/// another start time; the driver's ids are those of the host.
/// </summary>
internal sealed unsafe class GpuProcessSampler(GpuRoster roster, HostRoots roots) : ISampler
{
    private readonly Dictionary<uint, ProcessOwner> _owners = [];
    private readonly long[] _handedOn = new long[ReadingsHead.MostGpus];
    private readonly List<ulong> _layout = [];
    private readonly List<ulong> _seen = [];
    private int _version = -1;

    public string Name => "gpu_processes";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (roster.Count == 0 && Series.Count == 0)
        {
            return SampleStatus.NoData;
        }

        if (LayoutChanged())
        {
            Build();
        }

        int column = 0;
        for (int gpu = 0; gpu < roster.Count; gpu++)
        {
            ref readonly GpuBlock block = ref roster.Block(gpu);
            bool fresh = block.State == (int)GpuState.Answering && Reading(block) != _handedOn[gpu];
            _handedOn[gpu] = Reading(block);
            for (int i = 0; i < block.ProcessCount; i++)
            {
                GpuProcess process = block.Processes[i];
                Set(fresh && process.UsedBytes != ulong.MaxValue, column++, process.UsedBytes);
                Set(fresh && process.SmPercent <= 100, column++, process.SmPercent * 0.01);
            }

            for (int i = 0; i < block.InstanceCount; i++)
            {
                SetInstance(fresh, block.Instances[i], ref column);
            }
        }

        return SampleStatus.Ok;
    }

    private void SetInstance(bool fresh, GpuInstance instance, ref int column)
    {
        Set(fresh && instance.TotalBytes > 0, column++, instance.UsedBytes);
        Set(fresh && instance.TotalBytes > 0, column++, instance.TotalBytes);
        for (int part = 0; part < GpuInstance.Parts; part++)
        {
            Set(fresh && instance.Activity[part] is >= 0 and <= 1.05, column++, instance.Activity[part]);
        }
    }

    private void Set(bool has, int column, double value)
    {
        if (has)
        {
            Series.Set(column, value);
        }
    }

    // Who is where, as numbers: comparing them allocates nothing.
    private bool LayoutChanged()
    {
        _seen.Clear();
        for (int gpu = 0; gpu < roster.Count; gpu++)
        {
            ref readonly GpuBlock block = ref roster.Block(gpu);
            _seen.Add(((ulong)gpu << 40) | ((ulong)(uint)block.InstanceCount << 32) | (uint)block.ProcessCount);
            for (int i = 0; i < block.ProcessCount; i++)
            {
                _seen.Add(block.Processes[i].Pid);
            }
        }

        bool same = _version == roster.Version && _seen.Count == _layout.Count;
        for (int i = 0; i < _seen.Count && same; i++)
        {
            same = _seen[i] == _layout[i];
        }

        return !same;
    }

    private void Build()
    {
        _version = roster.Version;
        _layout.Clear();
        _layout.AddRange(_seen);
        Series.Rebuild();
        HashSet<uint> alive = [];
        for (int gpu = 0; gpu < roster.Count; gpu++)
        {
            ref readonly GpuBlock block = ref roster.Block(gpu);
            ReadOnlySpan<Label> own = [roster.Labels(gpu)[0], roster.Labels(gpu)[2]];
            for (int i = 0; i < block.ProcessCount; i++)
            {
                uint pid = block.Processes[i].Pid;
                alive.Add(pid);
                Label[] labels = [.. own, .. LabelsOf(pid)];
                Series.Add(GpuMetrics.ProcessMemoryBytes, labels);
                Series.Add(GpuMetrics.ProcessUtilizationRatio, labels);
            }

            for (int i = 0; i < block.InstanceCount; i++)
            {
                AddInstance(own, block.Instances[i]);
            }
        }

        foreach (uint gone in _owners.Keys.Where(pid => !alive.Contains(pid)).ToArray())
        {
            _owners.Remove(gone);
        }
    }

    private void AddInstance(ReadOnlySpan<Label> own, GpuInstance instance)
    {
        string uuid = SharedReadings.Read(new ReadOnlySpan<byte>(instance.Uuid, GpuBlock.UuidBytes));
        Label[] labels = [.. own, new Label("instance", $"{instance.GpuInstanceId}/{instance.ComputeInstanceId}"), new Label("mig_uuid", uuid)];
        Series.Add(GpuMetrics.MigMemoryUsedBytes, labels);
        Series.Add(GpuMetrics.MigMemoryTotalBytes, labels);
        foreach (string part in new[] { "graphics", "sm", "tensor", "dram" })
        {
            Series.Add(GpuMetrics.MigActivityRatio, [.. labels, new Label("part", part)]);
        }
    }

    private Label[] LabelsOf(uint pid)
    {
        if (!_owners.TryGetValue(pid, out ProcessOwner owner) || owner.StartTicks != ProcessOwner.ReadStart(roots, pid))
        {
            owner = ProcessOwner.Read(roots, pid);
            _owners[pid] = owner;
        }

        return
        [
            new Label("pid", pid.ToString()), new Label("process", owner.Name), new Label("job", owner.Job), new Label("pod", owner.Pod),
            new Label("container", owner.Container), new Label("unit", owner.Unit),
        ];
    }

    private static long Reading(in GpuBlock block) => Unsafe.AsRef(in block).Readings[(int)GpuTier.Detail];
}
