using Microsoft.Extensions.Logging;
using NodeAgent.Actuation;
using NodeAgent.Actuation.Host;
using NodeAgent.Actuation.Ledger;
using NodeAgent.Actuation.Local;
using NodeAgent.Commands.Policy;
using NodeAgent.Agent.Configuration;
using NodeAgent.Commands.Envelope;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Programs;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;

namespace NodeAgent.Agent.Actuator;

/// <summary>
/// <c>nodeagent actuator</c>: the one process with privilege. It opens no network, only a local socket, and has its own copy of policy, keys
/// and memory. Composition only.
/// </summary>
internal static class ActuatorProgram
{
    /// <summary>The first argument.</summary>
    internal const string Verb = "actuator";

    /// <summary>A line for the program's help.</summary>
    internal const string Usage = $"{Verb} [--config FILE]... [--set key=value]... is the process that carries out commands; docs/decisions/commands.md.";

    private static readonly TimeSpan ActivatedIdle = TimeSpan.FromMinutes(1);

    internal static Task<ExitCode> RunAsync(ServiceContext<AgentOptions> context)
    {
        ILogger log = context.Log.CreateLogger("actuator");
        if (OperatingSystem.IsLinux()) return OnLinuxAsync(context, log);
        log.ActuatorUnusable("commands can be carried out on Linux only");
        return Task.FromResult(ExitCode.Usage);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static async Task<ExitCode> OnLinuxAsync(ServiceContext<AgentOptions> context, ILogger log)
    {
        ActuatorSettings settings = context.Options.Actuator;
        if (ReadPolicy(settings.Policy, log) is not { } policy) return ExitCode.Usage;
        if (NodeIdentity.TryRead(context.Options, out string problem) is not { } self)
        {
            log.ActuatorUnusable(problem);
            return ExitCode.Usage;
        }

        if (!TryMakeFolder(settings.StateDirectory, log)) return ExitCode.StateUnusable;
        IFileOps files = FileOps.ForThisMachine();
        if (!ActuatorIdentity.TryOpen(settings.StateDirectory, self.Fleet, self.Name, files, out ActuatorIdentity? identity, out problem))
        {
            log.ActuatorUnusable(problem);
            return ExitCode.StateUnusable;
        }

        LedgerOptions journal = new() { Directory = Path.Combine(settings.StateDirectory, "journal") };
        if (!CommandLedger.TryOpen(identity.Agent, journal, files, TimeProvider.System, out CommandLedger? ledger, out OpenError? error))
        {
            log.ActuatorUnusable(error.Message);
            return ExitCode.StateUnusable;
        }

        using (ledger)
        {
            if (ledger.Damage is { } damage) log.JournalDamaged(damage);
            return await ServeAsync(context, policy, identity, ledger, log).ConfigureAwait(false);
        }
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static async Task<ExitCode> ServeAsync(
        ServiceContext<AgentOptions> context, ActuationPolicy policy, ActuatorIdentity identity, CommandLedger ledger, ILogger log)
    {
        ActuatorSettings settings = context.Options.Actuator;
        HostPaths paths = new();
        LinuxAgentFacts facts = new(identity.Agent, identity.FleetId, paths, new Tools(), TimeProvider.System);
        using CommandRunner runner = new(ledger, policy, HostActuators.All(policy, OptionsOf(context.Options, paths)), facts, TimeProvider.System);
        ActuatorSocket socket;
        try
        {
            socket = ActuatorSocket.Passed(Environment.GetEnvironmentVariable) ?? ActuatorSocket.Listen(settings.Socket);
        }
        catch (IOException e)
        {
            log.ActuatorUnusable(e.Message);
            return ExitCode.CannotBind;
        }

        using (socket)
        {
            foreach (V1.CommandIntent intent in ledger.Unfinished) log.Interrupted(intent.Kind, CommandEnvelope.ToGuid(intent.CommandId));
            runner.CloseInterrupted();
            log.ActuatorStarted(identity.Node, identity.Fleet, policy.Hash, ledger.Head.Index, ledger.ActiveSettings().Count);
            context.Notifier.Ready("waiting for commands");
            uint own = PeerCredentials.Own;
            uint? agent = SystemUsers.Find(settings.AgentUser);
            ActuatorServer server = new(identity, ledger, runner, policy, facts, TimeProvider.System, new ActuatorWatch(log));
            ActuatorEnd why = await server.RunAsync(
                socket.Listener, user => user == 0 || user == own || user == agent,
                settings.IdleExit ?? (socket.IsActivated ? ActivatedIdle : null), context.Lifetime.Stopping).ConfigureAwait(false);
            log.ActuatorEnded(why.ToString());
            return why == ActuatorEnd.Stuck ? ExitCode.Failure : ExitCode.Ok;
        }
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static ActuationPolicy? ReadPolicy(string path, ILogger log)
    {
        // The library takes a missing file for "reading only"; a node on which nobody wrote a policy has no actuator at all.
        if (!Path.Exists(path))
        {
            log.PolicyUnusable($"{path} is not there");
            return null;
        }

        if (PolicyReader.TryRead(path, out ActuationPolicy? policy, out IReadOnlyList<string> errors, PeerCredentials.Own)) return policy;
        log.PolicyUnusable(string.Join("; ", errors));
        return null;
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static bool TryMakeFolder(string path, ILogger log)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.ActuatorUnusable($"{path}: {e.Message}");
            return false;
        }
    }

    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    private static HostActuatorOptions OptionsOf(AgentOptions options, HostPaths paths) => new()
    {
        Paths = paths,
        BundleFolder = Path.Combine(options.Actuator.StateDirectory, "bundles"),
        NvmlLibrary = options.Gpu.Library,
        Quiesce = new GpuReleaseOrder(options.Gpu.ResolveReleaseDirectory(runtimeDirectory: null), paths, new Tools()),
        Busy = _ => GpuHolders.Describe(paths, except: "nodeagent"),
    };
}
