using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Commands;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Events;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Gpu;
using NodeAgent.Agent.Identity;
using NodeAgent.Agent.Metrics;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Uplink;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Programs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Sampling.Events;
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
        Random random = new((int)Environment.TickCount64 ^ Environment.ProcessId);
        RepeatedEventGate gate = new(log, TimeProvider.System);
        IdentityStart identities = new(options, random, new IdentityLog(context.Log.CreateLogger<IdentityLog>(), gate), TimeProvider.System);
        (RpcLinkDialer? found, string problem) = await identities.MakeDialerAsync(context.Notifier, context.Lifetime.Stopping).ConfigureAwait(false);
        if (found is not { } dialer)
        {
            if (problem.Length == 0)
            {
                return ExitCode.Ok; // asked to stop while it waited
            }

            log.CertificateUnusable(problem);
            return ExitCode.Usage;
        }

        HostRoots roots = new(options.Sampling.ProcRoot, options.Sampling.SysRoot, options.Sampling.EtcRoot);
        string spoolDirectory = options.Spool.ResolveDirectory(Environment.GetEnvironmentVariable("STATE_DIRECTORY"));
        KernelLogBookmark bookmark = new(FileOps.ForThisMachine(), spoolDirectory);
        HostPlatform platform = HostPlatform.Open(roots, options.Sampling.KernelLog, bookmark.Read, log);
        string bootId = platform.BootId;

        // Closed by its own thread, or not at all: that thread may still be inside a disk that does not answer.
        string owner = $"{MachineIdentity(roots).Trim()} {dialer.Node}";
        DurableSpool spool = OpenSpool(options, spoolDirectory, owner, platform, random, new SpoolLog(context.Log.CreateLogger<SpoolLog>(), gate));
        if (spool.OpenFailure is { Failure: OpenFailure.Locked } inUse)
        {
            log.SpoolInUse(inUse.Message);
            dialer.Dispose();
            return ExitCode.StateUnusable;
        }

        UplinkContext link = new(
            dialer.Peer, new UplinkIdentity(AgentVersion.Text, bootId), platform.Clock, random,
            new UplinkLog(context.Log.CreateLogger<UplinkLog>(), gate));
        CommandLane commands = new(options.Actuator.Socket, new CommandLaneLog(context.Log.CreateLogger<CommandLaneLog>()));
        UplinkClient uplink = new(spool, dialer, link, new BacklogPace(options.BacklogRecordsPerSecond, platform.Clock), commands);
        commands.OnAnswer = uplink.Wake;
        using UplinkThread uplinkThread = new(uplink, dialer);
        spool.OnReadable = uplink.Wake;
        spool.OnSynced = () =>
        {
            uplink.SendFresh();
            bookmark.Save(spool.DurableThrough);
        };
        TimeSpan phase = TickSchedule.PhaseOf(MachineIdentity(roots));
        using GpuMonitor? gpu = GpuMonitor.TryCreate(options.Gpu, roots, bootId, phase, log);
        using InventoryWatch inventory = new(platform.ReadInventory, TimeProvider.System);
        KernelLogSource? kernelLog = platform.EventSources.OfType<KernelLogSource>().FirstOrDefault();
        HostEventSpooler events = new(spool, gpu?.Join(platform.EventSources) ?? platform.EventSources, inventory, bootId, log)
        {
            OnSpooled = kernelLog is null ? null : sequence => bookmark.Note(sequence, kernelLog.Cursor),
        };
        ITickSink sink = new TickSpooler(new FrameBuilder(spool), events, log);
        using MetricsListener? metrics = ListenForScrapes(options.Metrics, ref sink, log);
        using SamplerSet samplers = CreateSamplers(options.Sampling, gpu, roots, platform.Clock, new SamplerWatch(log));
        AddOwnMetrics(samplers, uplink.State, spool);
        log.Starting(AgentVersion.Text, options.Uplink.Aggregator!.ToString(), samplers.Runners.Count, options.Spool.MaxBytes, bootId);

        inventory.Start();
        gpu?.Start();
        WatchdogBeat watchdog = new(context.Notifier, TimeProvider.System);
        using SpoolThread disk = new(spool);
        using TickThread tick = new(samplers.MakeLoop(sink, phase), watchdog.Turn, watchdog.LongestWait, disk.Turn);
        tick.Start();
        using ITimer settled = TimeProvider.System.CreateTimer(static _ => StartupMemory.Release(), null, StartupMemory.ReleaseAfter, Timeout.InfiniteTimeSpan);
        uplinkThread.Start();
        context.Notifier.Ready($"sampling, sending to {dialer.Peer}");
        await WaitForAsync(context.Lifetime.Stopping).ConfigureAwait(false);

        // The tick ends first, then the uplink gets a moment to hand over what there is.
        tick.Stop(TimeSpan.FromSeconds(1));
        uplinkThread.Stop(FlushLimit);
        commands.Stop();
        disk.Stop(FlushLimit);
        log.Stopped(samplers.Statistics.Ticks, spool.UnacknowledgedRecords);
        return ExitCode.Ok;
    }

    // Nothing of it exists where it is off, as it is by default.
    private static MetricsListener? ListenForScrapes(MetricsSettings settings, ref ITickSink sink, ILogger log)
    {
        if (settings.Listen is not { } address)
        {
            return null;
        }

        MetricsPage page = new(sink);
        sink = page;
        return MetricsListener.TryStart(address, page, TimeProvider.System, log);
    }

    private static async Task WaitForAsync(CancellationToken stopping)
    {
        TaskCompletionSource stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using (stopping.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), stopped))
        {
            await stopped.Task.ConfigureAwait(false);
        }
    }

    private static SamplerSet CreateSamplers(SamplingSettings settings, GpuMonitor? gpu, HostRoots roots, TimeProvider clock, ISamplerObserver observer) => new(
        [.. SamplerCatalog.Current, .. gpu?.Samplers ?? []],
        new SamplerContext { Roots = roots, CpuDetail = settings.CpuDetail, MaxCgroups = settings.MaxCgroups },
        clock,
        entry => !settings.Samplers.TryGetValue(entry.Name, out SamplerSettings? wanted) ? entry.DefaultInterval : wanted.Enabled ? wanted.Interval : null,
        observer);

    private static void AddOwnMetrics(SamplerSet samplers, UplinkState uplink, DurableSpool spool)
    {
        SelfSampler self = samplers.Self;
        self.AddSource(SelfMetrics.TickAllocatedBytesTotal, () => samplers.Statistics.AllocatedBytes);
        self.AddSource(UplinkMetrics.Connected, () => uplink.IsConnected ? 1 : 0);
        self.AddSource(UplinkMetrics.ConnectionsTotal, () => uplink.Connections);
        self.AddSource(UplinkMetrics.SentRecordsTotal, () => uplink.SentRecords);
        self.AddSource(UplinkMetrics.SentBytesTotal, () => uplink.SentBytes);
        self.AddSource(UplinkMetrics.RejectedRecordsTotal, () => uplink.RejectedRecords);
        self.AddSource(UplinkMetrics.SpoolBytes, () => spool.HeldBytes);
        self.AddSource(UplinkMetrics.SpoolUnacknowledgedRecords, () => spool.UnacknowledgedRecords);
        self.AddSource(UplinkMetrics.SpoolDroppedRecordsTotal, () => spool.Counts.DroppedRecords);
        self.AddSource(UplinkMetrics.SpoolDroppedSamplesTotal, () => spool.Counts.DroppedSamples);
        self.AddSource(UplinkMetrics.SpoolLostRecordsTotal, () => spool.Counts.LostRecords);
        self.AddSource(UplinkMetrics.SpoolThinnedRecordsTotal, () => spool.Counts.ThinnedRecords);
        self.AddSource(UplinkMetrics.SpoolThinnedSamplesTotal, () => spool.Counts.ThinnedSamples);
        self.AddSource(UplinkMetrics.SpoolMemoryOnly, () => spool.Mode == SpoolMode.MemoryOnly ? 1 : 0);
        self.AddSource(UplinkMetrics.StorageFsyncErrorsTotal, () => spool.SyncErrors);
    }

    private static string MachineIdentity(HostRoots roots) =>
        File.Exists(Path.Combine(roots.Etc, "machine-id")) ? File.ReadAllText(Path.Combine(roots.Etc, "machine-id")) : Environment.MachineName;

    private static DurableSpool OpenSpool(AgentOptions options, string directory, string owner, HostPlatform platform, Random random, SpoolLog log) => DurableSpool.Open(
        new SpoolPlan
        {
            Directory = directory,
            MaxBytes = options.Spool.MaxBytes,
            MemoryBytes = options.Spool.Memory,
            SyncInterval = options.Spool.SyncInterval,
            Owner = owner,
            BootId = platform.BootId,
            Inspect = SpoolDirectory.Inspect,
        },
        FileOps.ForThisMachine(), platform.Clock, random, log);
}
