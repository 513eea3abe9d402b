using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>Four nodes with one trouble each, at <see cref="HandTime.StartUnixMs"/>.</summary>
internal static class SampleFleet
{
    public const long Now = HandTime.StartUnixMs;

    private const string Boot = "3f0e0a52-7c0b-4a5e-9d53-2b6f5a1c9e10";

    public static readonly string[] Names = ["gpu-01", "gpu-02", "gpu-03", "storage-a"];

    public static ListNodesResponse Nodes() => new()
    {
        WallUnixMs = Now,
        Nodes =
        {
            Node("gpu-01", NodeState.Live, ageMs: 400, series: 412, offsetMs: 3, ClockQuality.Synchronised),
            Node("gpu-02", NodeState.Late, ageMs: 7_200, series: 409, offsetMs: -1_840, ClockQuality.Unsynchronised, dropped: 15),
            Node("gpu-03", NodeState.Down, ageMs: 3 * 3_600_000 + 720_000, series: 0, offsetMs: 0, ClockQuality.Unspecified),
            Node("storage-a", NodeState.Live, ageMs: 900, series: 1_287, offsetMs: 12, ClockQuality.Synchronised),
        },
    };

    public static Node Node(string name, NodeState state, long ageMs, uint series, long offsetMs, ClockQuality clock, ulong dropped = 0) => new()
    {
        Name = name,
        State = state,
        AgentVersion = "0.1.0",
        BootId = Boot,
        LastFrameUnixMs = Now - ageMs - 20,
        LastReceivedUnixMs = Now - ageMs,
        FirstReceivedUnixMs = Now - 86_400_000,
        Series = series,
        DroppedRecords = dropped,
        ClockOffsetMs = offsetMs,
        Clock = clock,
    };

    public static GetNodeResponse Node(GetNodeRequest request)
    {
        Node? node = Nodes().Nodes.FirstOrDefault(candidate => candidate.Name == request.Name);
        if (node is null) throw new CtlException(ExitCode.NotFound, $"cannot show node '{request.Name}'", $"no node named '{request.Name}' has ever connected");
        GetNodeResponse answer = new() { Node = node, WallUnixMs = Now };
        if (request.Name == "gpu-03") return answer;
        answer.Inventory = Inventory();
        answer.Samplers.Add(new GetNodeResponse.Types.SamplerState { Name = "cpu", Series = 40, IntervalMs = 1_000, LastFrameUnixMs = Now - 400 });
        answer.Samplers.Add(new GetNodeResponse.Types.SamplerState { Name = "filesystem", Series = 24, IntervalMs = 15_000, LastFrameUnixMs = Now - 9_400 });
        return answer;
    }

    public static Inventory Inventory() => new()
    {
        HostName = "gpu-01.lab", Os = "Debian GNU/Linux 12 (bookworm)", Kernel = "6.1.0-18-amd64", Architecture = "x86_64",
        Virtualization = "none", MachineId = "0f3c9e", AgentVersion = "0.1.0", BootUnixMs = Now - 5 * 86_400_000 - 7_200_000,
        Cpu = new Inventory.Types.Cpu { Vendor = "AuthenticAMD", Model = "AMD EPYC 9654 96-Core Processor", Sockets = 2, Cores = 192, Threads = 384, MaxHertz = 3_707_000_000 },
        MemoryBytes = 1_622_722_883_584,
        Board = new Inventory.Types.Board { Vendor = "Supermicro", Product = "AS-8125GS-TNHR", BiosVersion = "1.4" },
        NumaNodes =
        {
            new Inventory.Types.NumaNode { Id = 0, Cpus = "0-95,192-287", MemoryBytes = 811_361_441_792 },
            new Inventory.Types.NumaNode { Id = 1, Cpus = "96-191,288-383", MemoryBytes = 811_361_441_792 },
        },
        NetworkInterfaces =
        {
            new Inventory.Types.NetworkInterface { Name = "eth0", Mac = "3c:ec:ef:01:02:03", Driver = "ixgbe", SpeedBitsPerSecond = 10_000_000_000, PciAddress = "0000:41:00.0", NumaNode = 0, Mtu = 1500 },
            new Inventory.Types.NetworkInterface { Name = "ib0", Mac = "", Driver = "mlx5_core", SpeedBitsPerSecond = 400_000_000_000, PciAddress = "0000:c1:00.0", NumaNode = 1, Mtu = 4092, RdmaDevice = "mlx5_0" },
        },
        Disks = { new Inventory.Types.Disk { Name = "nvme0n1", Model = "SAMSUNG MZQL23T8HCLS-00A07", SizeBytes = 3_840_755_982_336, Serial = "S64HNE0R", PciAddress = "0000:01:00.0" } },
        Accelerators =
        {
            new Inventory.Types.PciDevice { Address = "0000:19:00.0", VendorId = 0x10de, DeviceId = 0x2330, Driver = "nvidia", NumaNode = 0 },
            new Inventory.Types.PciDevice { Address = "0000:3b:00.0", VendorId = 0x10de, DeviceId = 0x2330, NumaNode = -1 },
        },
    };

    public static IReadOnlyList<ListSeriesResponse> Series() =>
    [
        new ListSeriesResponse
        {
            Series =
            {
                Entry("node_boot_time_seconds", MetricKind.Gauge, "seconds", 1_794_813_600, ("node", "gpu-01")),
                Entry("node_load1", MetricKind.Gauge, "", 12.34, ("node", "gpu-01")),
            },
        },
        new ListSeriesResponse
        {
            Series =
            {
                Entry("node_memory_MemAvailable_bytes", MetricKind.Gauge, "bytes", 1_403_000_000_000, ("node", "gpu-01")),
                Entry("node_network_receive_bytes_total", MetricKind.Counter, "bytes", 98_765_432_109, ("device", "eth0"), ("node", "gpu-01")),
                new SeriesEntry { Metric = "node_thermal_zone_temp", Kind = MetricKind.Gauge, Unit = "celsius", Labels = { Label("node", "gpu-01"), Label("type", "say \"hi\",\nÄ") } },
            },
            Total = 5,
        },
    ];

    public static QueryResponse Loads() => new()
    {
        AtUnixMs = Now,
        Cost = new QueryCost { Series = 3, Samples = 3, ElapsedUs = 210 },
        Results =
        {
            Result(41.5, ("cluster", "a"), ("node", "gpu-01")),
            Result(3.25, ("cluster", "a"), ("node", "gpu-02")),
            Result(double.NaN, ("cluster", "b"), ("node", "storage-a")),
        },
    };

    public static IReadOnlyList<RangeResponse> Ranges()
    {
        RangeResponse busy = new() { Metric = "node_memory_MemAvailable_bytes", Unit = "bytes", StartUnixMs = Now - 600_000, StepMs = 10_000, Labels = { Label("node", "gpu-01") } };
        RangeResponse holed = new() { Metric = "node_memory_MemAvailable_bytes", Unit = "bytes", StartUnixMs = Now - 600_000, StepMs = 10_000, Labels = { Label("node", "gpu-02") } };
        for (int i = 0; i <= 60; i++)
        {
            busy.Values.Add((8 + (4 * Math.Sin(i / 8.0))) * 1_073_741_824);
            holed.Values.Add(i is > 20 and < 35 ? double.NaN : (2 + (i / 20.0)) * 1_073_741_824);
        }

        holed.Cost = new QueryCost { Series = 2, Samples = 1_200, ElapsedUs = 1_830 };
        return [busy, holed];
    }

    public static IReadOnlyList<WatchResponse> Watched() =>
    [
        new WatchResponse
        {
            Series =
            {
                new WatchResponse.Types.WatchedSeries { Index = 1, Metric = "node_load1", Labels = { Label("node", "gpu-01") } },
                new WatchResponse.Types.WatchedSeries { Index = 2, Metric = "node_memory_MemAvailable_bytes", Unit = "bytes", Labels = { Label("node", "gpu-01") } },
            },
            Samples =
            {
                new WatchResponse.Types.WatchedSample { Index = 1, UnixMs = Now, Value = 12.34 },
                new WatchResponse.Types.WatchedSample { Index = 2, UnixMs = Now, Value = 1_403_000_000_000 },
            },
        },
        new WatchResponse { LostSamples = 7, Samples = { new WatchResponse.Types.WatchedSample { Index = 1, UnixMs = Now + 1_000, Value = 12.5 } } },
    ];

    public static IReadOnlyList<ListEventsResponse> Events() =>
    [
        new ListEventsResponse
        {
            Node = "gpu-02", ReceivedUnixMs = Now - 59_000,
            Event = new Event
            {
                Sequence = 9_001, WallUnixMs = Now - 60_000, Kind = "oom_kill", Severity = Severity.Error, BootId = Boot, KernelSequence = 4_711,
                Message = "Out of memory: Killed process 812 (python3) total-vm:81234567kB, anon-rss:61234567kB",
                Attributes = { Label("pid", "812"), Label("process", "python3") },
            },
        },
        new ListEventsResponse
        {
            Node = "gpu-01", ReceivedUnixMs = Now - 7_199_000,
            Event = new Event { Sequence = 17, WallUnixMs = Now - 7_200_000, Kind = "link_down", Severity = Severity.Warning, Message = "eth0: link \e[31mdown", BootId = Boot, Attributes = { Label("device", "eth0") } },
        },
    ];

    public static UsageResponse Usage() => new()
    {
        FromUnixMs = Now - 604_800_000, ToUnixMs = Now, StepMs = 60_000, By = "node", GpuHourPrice = 2.1, Currency = "EUR", IdleBelowRatio = 0.05,
        Entries =
        {
            new UsageEntry
            {
                Key = "gpu-01", Gpus = 8, GpuHours = 1_344, MeanUtilizationRatio = 0.874, IdleHours = 41.25, IdleCost = 86.625,
                EnergyKilowattHours = 712.4, EnergySource = EnergySource.Counter,
            },
            new UsageEntry
            {
                Key = "gpu-02", Gpus = 2, GpuHours = 12.5, MeanUtilizationRatio = 0.02, IdleHours = 12.5, IdleCost = 26.25,
                EnergyKilowattHours = 0.9, EnergySource = EnergySource.Power,
            },
            new UsageEntry { Key = "", Gpus = 1, MeanUtilizationRatio = double.NaN },
        },
        Total = new UsageEntry
        {
            Gpus = 11, GpuHours = 1_356.5, MeanUtilizationRatio = 0.866, IdleHours = 53.75, IdleCost = 112.875, EnergyKilowattHours = 713.3,
            EnergySource = EnergySource.Mixed,
        },
    };

    public static IReadOnlyList<BackupUpdate> Backup() =>
    [
        new BackupUpdate { DoneBytes = 0, TotalBytes = 3_221_225_472, Activity = "writing events/0000000000000001.segment" },
        new BackupUpdate { DoneBytes = 1_073_741_824, TotalBytes = 3_221_225_472, Activity = "writing store/segments/000000000000002a.raw" },
        new BackupUpdate
        {
            DoneBytes = 3_221_225_472, TotalBytes = 3_221_225_472,
            Done = new BackupResult { Path = "/var/backups/nodeagent/20261121T092000Z", Files = 214, Bytes = 3_221_225_472, LogId = 9_120_455, Encrypted = true },
        },
    ];

    /// <summary>An aggregator whose disks and sink work.</summary>
    public static GetStatusResponse Status()
    {
        GetStatusResponse status = Troubled();
        status.Log = new GetStatusResponse.Types.LogStatus { Healthy = true, Bytes = 524_288_000 };
        status.Sink = null;
        return status;
    }

    /// <summary>One whose log cannot be written, and whose sink is behind.</summary>
    public static GetStatusResponse Troubled() => new()
    {
        Version = "0.1.0", StartedUnixMs = Now - 90_000_000, WallUnixMs = Now, Nodes = 4, LiveNodes = 2, Series = 2_108,
        SamplesTotal = 189_720_123, FramesTotal = 360_011, RejectedRecordsTotal = 2, DuplicateRecordsTotal = 14,
        OldestUnixMs = Now - 21_600_000, StoreBytes = 734_003_200, StoreLimitBytes = 2_147_483_648, EvictedSamplesTotal = 0,
        Ingest = new GetStatusResponse.Types.IngestStatus { QuarantinedRecordsTotal = 2 },
        Log = new GetStatusResponse.Types.LogStatus { Healthy = false, Error = "write segment /state/wal/000000000000002a.segment: ENOSPC", Bytes = 524_288_000 },
        Sink = new GetStatusResponse.Types.SinkStatus { Url = "http://victoria:8428/write?precision=ms", LagMs = 95_000, SamplesTotal = 120_000_000, SkippedRecordsTotal = 12 },
        Detection = new GetStatusResponse.Types.DetectionStatus { Series = 2_090, LagMs = 2_400, Shedding = "lanes", OpenIncidents = 3, ShedRowsTotal = 7 },
    };

    /// <summary>Answers what <c>top</c> asks, by metric and aggregation.</summary>
    public static QueryResponse Top(InstantRequest request)
    {
        QuerySpec spec = request.Query.Spec;
        string metric = spec.Selector.Split('{')[0];
        QueryResponse answer = new() { AtUnixMs = Now };
        if (metric == "node_cpu_seconds_total")
        {
            Modes(answer, "gpu-01", busy: 361, idle: 20, wait: 3);
            Modes(answer, "gpu-02", busy: 310, idle: 70, wait: 4);
            Modes(answer, "storage-a", busy: 3.1, idle: 58, wait: 2.9);
            return answer;
        }

        double[]? values = metric switch
        {
            "node_memory_MemTotal_bytes" => [1.6e12, 1.6e12, double.NaN, 5.4e11],
            "node_memory_MemAvailable_bytes" => [1.4e12, 6e10, double.NaN, 4.9e11],
            "node_load1" => [372.5, 311.25, double.NaN, 1.5],
            "node_network_receive_bytes_total" => [4.1e9, 3.9e9, double.NaN, 1.2e4],
            "node_network_transmit_bytes_total" => [4.2e9, 3.8e9, double.NaN, 950],
            "node_disk_read_bytes_total" => [0, 1.5e6, double.NaN, 8.4e8],
            "node_disk_written_bytes_total" => [2.5e4, 3.1e5, double.NaN, 7.7e8],
            "node_disk_io_time_seconds_total" => [0.001, 0.05, double.NaN, 0.97],
            "node_pressure_cpu_waiting_seconds_total" => [0.31, 0.1, double.NaN, 0],
            "node_pressure_memory_waiting_seconds_total" => [0, 0.62, double.NaN, 0],
            "node_pressure_io_waiting_seconds_total" => [0.01, 0, double.NaN, 0.18],
            _ => throw new InvalidOperationException($"top asks for {spec.Selector}, which this script does not know"),
        };
        for (int i = 0; i < Names.Length; i++)
        {
            if (!double.IsNaN(values[i])) answer.Results.Add(Result(values[i], ("node", Names[i])));
        }

        return answer;
    }

    public static QueryResult Result(double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        QueryResult result = new() { Value = value, SampleUnixMs = Now - 400 };
        foreach ((string name, string text) in labels) result.Labels.Add(Label(name, text));
        return result;
    }

    public static Label Label(string name, string value) => new() { Name = name, Value = value };

    private static void Modes(QueryResponse answer, string node, double busy, double idle, double wait)
    {
        answer.Results.Add(Result(busy, ("mode", "user"), ("node", node)));
        answer.Results.Add(Result(idle, ("mode", "idle"), ("node", node)));
        answer.Results.Add(Result(wait, ("mode", "iowait"), ("node", node)));
    }

    private static SeriesEntry Entry(string metric, MetricKind kind, string unit, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        SeriesEntry entry = new() { Metric = metric, Kind = kind, Unit = unit, Scale = 100, LastValue = value, LastUnixMs = Now - 400 };
        foreach ((string name, string text) in labels) entry.Labels.Add(Label(name, text));
        return entry;
    }
}
