using System.Runtime.CompilerServices;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Samplers;

/// <summary>
/// What the readers say, as the tick sees it: the newest copy of each GPU's block, who the GPUs are, and what changed since the last look.
/// Refreshed once a tick on the tick's thread, before the samplers that hand the values on.
/// </summary>
internal sealed class GpuRoster(ReaderSupervisor supervisor, GpuOrders orders, GpuEventQueue events, TimeProvider time)
{
    private readonly GpuBlock[] _blocks = new GpuBlock[ReadingsHead.MostGpus];
    private readonly Label[][] _labels = new Label[ReadingsHead.MostGpus][];
    private readonly long[] _identities = new long[ReadingsHead.MostGpus];
    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, GpuState> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, int), long> _rejections = [];
    private readonly long[] _rejected = new long[ReadingsHead.MostGpus];
    private SharedReadings? _source;
    private long _generation;

    /// <summary>GPUs in the reader's list, answering or not. 0: no reader has said anything.</summary>
    internal int Count { get; private set; }

    /// <summary>GPUs that answer.</summary>
    internal int AnsweringCount { get; private set; }

    /// <summary>Grows when GPUs, their names or their order changed: columns have to be built again.</summary>
    internal int Version { get; private set; }

    /// <summary>The reader that the values are from; null: none.</summary>
    internal SharedReadings? Source => _source;

    internal bool IsStalled => supervisor.IsStalled;

    internal string Driver { get; private set; } = "";

    internal ref readonly GpuBlock Block(int gpu) => ref _blocks[gpu];

    /// <summary>The labels that all series of a GPU carry.</summary>
    internal Label[] Labels(int gpu) => _labels[gpu];

    /// <summary>Milliseconds since the tier was read.</summary>
    internal unsafe double AgeMs(int gpu, GpuTier tier) =>
        time.GetElapsedTime(Unsafe.AsRef(in _blocks[gpu]).ReadAt[(int)tier]).TotalMilliseconds;

    /// <summary>Takes the newest values. Never waits: a block that is being written all the while keeps its values of before.</summary>
    internal void Refresh()
    {
        supervisor.Check();
        SharedReadings? source = supervisor.Current;
        if (!ReferenceEquals(source, _source))
        {
            _source = source;
            _generation = 0;
            Array.Clear(_identities);
            Array.Clear(_rejected);
            Forget();
        }

        if (source is null)
        {
            return;
        }

        ref ReadingsHead head = ref source.Head;
        if ((ReaderStatus)Volatile.Read(ref head.Status) != ReaderStatus.Reading)
        {
            Forget();
            if (head.Status == (int)ReaderStatus.NoDriver)
            {
                supervisor.ReportUnavailable("NVML: " + Nvml.NvmlReturns.Describe(head.InitReturn));
            }

            return;
        }

        if (head.Generation != _generation)
        {
            BeginGeneration(ref head);
        }

        int count = Math.Min(Volatile.Read(ref head.GpuCount), ReadingsHead.MostGpus);
        Version += count != Count ? 1 : 0;
        Count = count;
        AnsweringCount = 0;
        for (int gpu = 0; gpu < count; gpu++)
        {
            if (source.TryCopy(gpu, out GpuBlock copy))
            {
                _blocks[gpu] = copy;
            }

            Look(gpu);
            AnsweringCount += _blocks[gpu].State == (int)GpuState.Answering ? 1 : 0;
        }
    }

    private void Forget()
    {
        Version += Count != 0 ? 1 : 0;
        Count = 0;
        AnsweringCount = 0;
    }

    private unsafe void BeginGeneration(ref ReadingsHead head)
    {
        _generation = head.Generation;
        Version++;
        supervisor.ReportAvailable();
        Driver = SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref head.Driver[0]), GpuBlock.NameBytes));
        events.Add(
            GpuEventKind.Generation, EventSeverity.Info, $"took hold of {head.NvmlCount} GPUs, driver {Driver} ({Words((GenerationReason)head.GenerationReason)})",
            ("reason", Words((GenerationReason)head.GenerationReason)), ("generation", head.Generation.ToString()), ("gpus", head.NvmlCount.ToString()), ("driver", Driver));
    }

    private unsafe void Look(int gpu)
    {
        ref GpuBlock block = ref _blocks[gpu];
        if (block.Identity != _identities[gpu])
        {
            _identities[gpu] = block.Identity;
            Name(gpu, ref block);
            Version++;
        }

        if (block.RejectedValues != _rejected[gpu])
        {
            _rejected[gpu] = block.RejectedValues;
            ReportRejected(gpu, ref block);
        }

        ReportState(gpu, ref block);
    }

    private unsafe void Name(int gpu, ref GpuBlock block)
    {
        string pci = GpuOrders.Normalize(SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref block.BusId[0]), GpuBlock.BusIdBytes)));
        string uuid = SharedReadings.Read(new ReadOnlySpan<byte>(Unsafe.AsPointer(ref block.Uuid[0]), GpuBlock.UuidBytes));
        orders.Know(pci, uuid);
        uuid = uuid.Length > 0 ? uuid : orders.UuidOf(pci);

        // NVML's numbers move when a GPU goes; ours stay with the slot on the bus for the agent's life.
        if (!_numbers.TryGetValue(pci, out int number))
        {
            number = _numbers.Count == gpu ? gpu : _numbers.Count;
            _numbers[pci] = number;
        }

        _labels[gpu] = [new Label("gpu", number.ToString()), new Label("pci", pci), new Label("uuid", uuid)];
    }

    private void ReportState(int gpu, ref GpuBlock block)
    {
        GpuState state = (GpuState)block.State;
        string pci = _labels[gpu][1].Value;
        if (!_states.TryGetValue(pci, out GpuState before))
        {
            before = GpuState.Answering;
            _states[pci] = before;
        }

        if (state == before)
        {
            return;
        }

        _states[pci] = state;
        Version++;
        string uuid = _labels[gpu][2].Value;
        if (state == GpuState.Answering)
        {
            events.Add(GpuEventKind.Recovered, EventSeverity.Info, $"GPU {pci} answers again", ("pci", pci), ("uuid", uuid), ("from", Words(before)));
        }
        else if (state is GpuState.Lost or GpuState.Gone)
        {
            string code = Nvml.NvmlReturns.Describe(block.LastReturn);
            events.Add(
                GpuEventKind.Lost, EventSeverity.Critical, state == GpuState.Lost ? $"GPU {pci} does not answer: {code}" : $"GPU {pci} is no longer known to NVML",
                ("pci", pci), ("uuid", uuid), ("state", Words(state)), ("code", ((uint)block.LastReturn).ToString()));
        }
    }

    // Once an hour for each GPU and value: the counter tells how often.
    private unsafe void ReportRejected(int gpu, ref GpuBlock block)
    {
        for (int column = 0; column < GpuColumns.All.Count; column++)
        {
            if (block.IsRejected(column))
            {
                ReportRejected(_labels[gpu][1].Value, _labels[gpu][2].Value, column, block.Values[column]);
            }
        }
    }

    private void ReportRejected(string pci, string uuid, int column, double rejected)
    {
        long now = time.GetTimestamp();
        if (_rejections.TryGetValue((pci, column), out long last) && time.GetElapsedTime(last, now) < TimeSpan.FromHours(1))
        {
            return;
        }

        _rejections[(pci, column)] = now;
        string metric = GpuColumns.All[column].Metric.Name;
        string value = rejected.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        events.Add(
            GpuEventKind.ValueRejected, EventSeverity.Warning, $"GPU {pci} said {metric} is {value}; no GPU can have that and it is not passed on",
            ("pci", pci), ("uuid", uuid), ("metric", metric), ("value", value));
    }

    private static string Words(GpuState state) => state switch
    {
        GpuState.Answering => "answering",
        GpuState.Lost => "lost",
        GpuState.Excluded => "excluded",
        GpuState.Released => "released",
        _ => "gone",
    };

    private static string Words(GenerationReason reason) => reason switch
    {
        GenerationReason.Started => "started",
        GenerationReason.DriverReloaded => "driver reloaded",
        GenerationReason.GpuSetChanged => "GPUs came or went",
        GenerationReason.GpuRecovered => "a GPU came back",
        GenerationReason.MigChanged => "MIG layout changed",
        _ => "ordered",
    };
}
