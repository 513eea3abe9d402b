using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Events;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Gpu;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Uplink;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Programs;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Self;

namespace NodeAgent.Agent.Host;

/// <summary>The agent put together: samplers, tick, spool, uplink. Composition only.</summary>
internal static class AgentService
{
    /// <summary>How long a stop waits for the aggregator to take what is spooled.</summary>
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(3);

    internal static async Task<ExitCode> RunAsync(ServiceContext<AgentOptions> context)
    {
        AgentOptions options = context.Options;
        ILogger log = context.Log.CreateLogger("agent");
        using UplinkChannel? channel = UplinkChannel.TryCreate(options.Uplink, out string problem);
        if (channel is null)
        {
            log.CertificateUnusable(problem);
            return ExitCode.Usage;
        }

        HostRoots roots = new(options.Sampling.ProcRoot, options.Sampling.SysRoot, options.Sampling.EtcRoot);
        HostPlatform platform = HostPlatform.Open(roots, options.Sampling.KernelLog, log);
        string bootId = platform.BootId;
        Random random = new((int)Environment.TickCount64 ^ Environment.ProcessId);
        MemorySpool spool = new(NewEpoch(random), options.Spool.Capacity);
        SchemaBook schemas = new();
        UplinkClient uplink = new(
            spool, schemas, channel.Transport, new UplinkIdentity(AgentVersion.Text, bootId), TimeProvider.System, random,
            new UplinkLog(context.Log.CreateLogger<UplinkLog>(), new RepeatedEventGate(log, TimeProvider.System)));
        TimeSpan phase = TickSchedule.PhaseOf(MachineIdentity(roots));
        using GpuMonitor? gpu = GpuMonitor.TryCreate(options.Gpu, roots, bootId, phase, log);
        using InventoryWatch inventory = new(platform.ReadInventory, TimeProvider.System);
        HostEventSpooler events = new(spool, gpu?.Join(platform.EventSources) ?? platform.EventSources, inventory, bootId, log);
        TickSpooler sink = new(new FrameBuilder(spool, schemas), events, uplink, log);
        using SamplerSet samplers = CreateSamplers(options.Sampling, gpu, roots, platform.Clock, new SamplerWatch(log));
        AddOwnMetrics(samplers.Self, uplink.State, spool);
        log.Starting(AgentVersion.Text, options.Uplink.Aggregator!.ToString(), samplers.Runners.Count, options.Spool.Capacity, bootId);

        inventory.Start();
        gpu?.Start();
        using TickThread tick = new(samplers.MakeLoop(sink, phase));
        tick.Start();
        using ITimer settled = TimeProvider.System.CreateTimer(static _ => StartupMemory.Release(), null, StartupMemory.ReleaseAfter, Timeout.InfiniteTimeSpan);
        context.Notifier.Ready($"sampling, sending to {channel.Transport.Peer}");
        await RunUplinkAsync(uplink, tick, context.Lifetime.Stopping).ConfigureAwait(false);
        log.Stopped(samplers.Statistics.Ticks, spool.NextSequence - 1 - uplink.State.AcknowledgedSequence);
        return ExitCode.Ok;
    }

    // At a stop the tick ends first, then the uplink gets a moment to hand over what it holds.
    private static async Task RunUplinkAsync(UplinkClient uplink, TickThread tick, CancellationToken stopping)
    {
        using CancellationTokenSource end = new();
        Task running = uplink.RunAsync(end.Token);
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (stopping.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), stopped))
        {
            await Task.WhenAny(running, stopped.Task).ConfigureAwait(false);
        }

        tick.Stop(TimeSpan.FromSeconds(1));
        await uplink.FinishAsync(FlushLimit).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
    }

    private static SamplerSet CreateSamplers(SamplingSettings settings, GpuMonitor? gpu, HostRoots roots, TimeProvider clock, ISamplerObserver observer) => new(
        [.. SamplerCatalog.Current, .. gpu?.Samplers ?? []],
        new SamplerContext { Roots = roots, CpuDetail = settings.CpuDetail, MaxCgroups = settings.MaxCgroups },
        clock,
        entry => !settings.Samplers.TryGetValue(entry.Name, out SamplerSettings? wanted) ? entry.DefaultInterval : wanted.Enabled ? wanted.Interval : null,
        observer);

    private static void AddOwnMetrics(SelfSampler self, UplinkState uplink, MemorySpool spool)
    {
        self.AddSource(SelfMetrics.TickAllocatedBytesTotal, () => GC.GetAllocatedBytesForCurrentThread() - spool.AllocatedByWoken);
        self.AddSource(UplinkMetrics.Connected, () => uplink.IsConnected ? 1 : 0);
        self.AddSource(UplinkMetrics.ConnectionsTotal, () => uplink.Connections);
        self.AddSource(UplinkMetrics.SentRecordsTotal, () => uplink.SentRecords);
        self.AddSource(UplinkMetrics.SentBytesTotal, () => uplink.SentBytes);
        self.AddSource(UplinkMetrics.RejectedRecordsTotal, () => uplink.RejectedRecords);
        self.AddSource(UplinkMetrics.SpoolBytes, () => spool.HeldBytes);
        self.AddSource(UplinkMetrics.SpoolUnacknowledgedRecords, () => spool.NextSequence - 1 - Math.Min(spool.NextSequence - 1, uplink.AcknowledgedSequence));
        self.AddSource(UplinkMetrics.SpoolDroppedRecordsTotal, () => spool.DroppedRecords);
    }

    private static string MachineIdentity(HostRoots roots) =>
        File.Exists(Path.Combine(roots.Etc, "machine-id")) ? File.ReadAllText(Path.Combine(roots.Etc, "machine-id")) : Environment.MachineName;

    // Never 0, which means "none" on the wire.
    private static ulong NewEpoch(Random random) => (ulong)random.NextInt64(1, long.MaxValue);
}
