using Microsoft.Extensions.Logging;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Placement;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Journal;
using NodeAgent.Journal.Writing;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Requests;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Aggregator.Tests.Placement;

/// <summary>A desk on a fleet that a test makes up: registry, store, clock and disk are its own.</summary>
internal sealed class PlacementBench : IDisposable
{
    internal const string Model = "NVIDIA H100 80GB HBM3";

    internal static readonly ResourceAsk OneGpu = new(4000, 16384, 1);

    private readonly CapturingLogger _captured = new();
    private PlacementDesk? _desk;

    internal SimulatedTime Time { get; } = new();

    internal SimulatedDisk Disk { get; } = new(7);

    internal FleetRegistry Fleet { get; } = new();

    internal MemoryStore Store { get; } = new(new MemoryStoreOptions { RetentionMs = 24 * 3_600_000 });

    internal JournalOptions Options { get; init; } = PlacementJournal.OptionsIn("/state") with { Commit = CommitPolicy.None, SegmentBytes = 128 << 10, RetryDelay = TimeSpan.FromSeconds(1) };

    internal PlacementDesk Desk => _desk ??= Open();

    internal FleetView View => new(Fleet, Store);

    internal IEnumerable<string> Events => _captured.Events.Select(happened => happened.Name);

    internal long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>A live node with an inventory and, with GPUs, all their series.</summary>
    internal FleetNode Add(string name, int gpus = 8, string model = Model, int threads = 96, int memoryGiB = 1024, bool mig = false)
    {
        FleetNode node = Fleet.GetOrAdd(name, Now);
        node.OpenStreams = 1;
        node.ShortestIntervalMs = 1000;
        node.Inventory = new Inventory
        {
            Cpu = new Inventory.Types.Cpu { Threads = (uint)threads },
            MemoryBytes = ((ulong)memoryGiB << 30) + 12_345,
            NetworkInterfaces = { new Inventory.Types.NetworkInterface { Name = "eth0", SpeedBitsPerSecond = 100_000_000_000 } },
        };
        Live(name);
        if (gpus > 0)
        {
            Gpus(name, [.. Enumerable.Range(0, gpus).Select(number => new GpuSeries(number, model, Mig: mig))]);
        }

        return node;
    }

    internal void Live(params string[] names)
    {
        foreach (string name in names)
        {
            Fleet.Find(name)!.LastReceivedUnixMs = Now;
        }
    }

    /// <summary>One row of everything that placement reads of these GPUs, now (or at another time).</summary>
    internal void Gpus(string node, GpuSeries[] gpus, long? at = null)
    {
        List<SeriesDefinition> columns = [];
        List<double> values = [];
        foreach (GpuSeries gpu in gpus)
        {
            Add(GpuMetrics.Information, 1, ("name", gpu.Model), ("serial", "1"));
            Add(GpuMetrics.State, gpu.State);
            Add(GpuMetrics.MemoryTotalBytes, 80L << 30);
            Add(GpuMetrics.MigMode, gpu.Mig ? 1 : 0, ("state", "current"));
            Add(GpuMetrics.RecoveryAction, gpu.RecoveryAction);
            Add(GpuMetrics.RowRemapFailed, gpu.RowRemapFailed ? 1 : 0);
            Add(GpuMetrics.ThrottleActive, gpu.Throttles == "hw_thermal" ? 1 : 0, ("reason", "hw_thermal"));
            Add(GpuMetrics.ThrottleActive, gpu.Throttles == "sw_power_cap" ? 1 : 0, ("reason", "sw_power_cap"));
            Add(GpuMetrics.ThrottleSecondsTotal, gpu.ThrottledSeconds, ("reason", "hw_thermal"));
            Add(GpuMetrics.EccErrorsTotal, gpu.Uncorrected, ("kind", "uncorrected"), ("since", "load"), ("location", "all"));
            Add(GpuMetrics.RemappedRows, gpu.Rows, ("cause", "uncorrectable"));

            void Add(MetricDefinition metric, double value, params (string, string)[] labels)
            {
                columns.Add(new SeriesDefinition(metric, [new Label("gpu", gpu.Number.ToString()), new Label("uuid", gpu.Uuid), .. labels.Select(label => new Label(label.Item1, label.Item2))]));
                values.Add(value);
            }
        }

        RegisterResult registered = Store.Register(node, "gpu", 1000, columns);
        Assert.True(registered.IsAccepted, registered.Detail);
        ulong[] present = new ulong[(columns.Count + 63) / 64];
        Array.Fill(present, ulong.MaxValue);
        present[^1] = columns.Count % 64 == 0 ? ulong.MaxValue : (1UL << (columns.Count % 64)) - 1;
        Store.Append(registered.Handle, at ?? Now, [.. values], present);
    }

    /// <summary>Seconds pass, and every node that is live stays it.</summary>
    internal void Pass(double seconds = 2)
    {
        Time.Advance(TimeSpan.FromSeconds(seconds));
        Live([.. Fleet.Nodes.Where(node => node.OpenStreams > 0).Select(node => node.Name)]);
    }

    /// <summary>Places and commits one job.</summary>
    internal PlacementDecision Run(string job, ResourceAsk? ask = null, int replicas = 1)
    {
        PlacementDecision decision = Desk.Place(new PlacementRequest(job, ask ?? OneGpu) { Replicas = replicas });
        Assert.True(decision.IsPlaced, $"{decision.Outcome}: {decision.Reason}");
        Assert.Equal(CommitResult.Committed, Desk.Commit(decision.Token).Result);
        return decision;
    }

    internal string Jobs() => System.Text.Json.JsonSerializer.Serialize(Desk.Books().Jobs);

    /// <summary>The process ends without a word, and starts again.</summary>
    internal void Kill(bool cutPower = false)
    {
        if (cutPower)
        {
            Disk.CutPower();
        }
        else
        {
            Disk.KillProcess();
        }

        _desk = null;
    }

    internal PlacementReplay Replay(Action<EngineCall, EngineAnswer> decided)
    {
        PlacementReplay replay = new() { Decided = decided };
        Assert.True(PlacementJournal.TryOpen(Options, Disk, Time, replay, out PlacementJournal? journal, out OpenError? error), error?.Message);
        journal.Dispose();
        return replay;
    }

    internal PlacementDesk? TryOpen(out string problem) => _desk = PlacementStart.TryOpen(Options, Disk, Time, View, new PlacementLog(new Logger<PlacementLog>(_captured)), out problem);

    public void Dispose()
    {
        _desk?.Dispose();
        Store.Dispose();
    }

    internal void Close()
    {
        _desk?.Dispose();
        _desk = null;
    }

    private PlacementDesk Open() => TryOpen(out string problem) ?? throw new InvalidOperationException(problem);
}

/// <summary>What a test says of one GPU.</summary>
internal sealed record GpuSeries(
    int Number, string Model = PlacementBench.Model, int State = 0, bool Mig = false, int RecoveryAction = 0, bool RowRemapFailed = false, string Throttles = "",
    double ThrottledSeconds = 0, double Uncorrected = 0, double Rows = 0)
{
    internal string Uuid { get; init; } = $"GPU-{Number:x8}";
}
