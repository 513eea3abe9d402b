using System.Collections;
using System.Runtime.Versioning;
using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Logs;
using NodeAgent.Hosting.Windows;

namespace NodeAgent.Hosting.Programs;

/// <summary>What a running service is given.</summary>
/// <param name="Options">Its configuration, without errors.</param>
/// <param name="Log">Where its events go.</param>
/// <param name="Lifetime">When it should stop.</param>
/// <param name="Notifier">How it tells the service manager.</param>
/// <param name="Version">The program's version.</param>
public sealed record ServiceContext<TOptions>(
    TOptions Options, EventLog Log, ProcessLifetime Lifetime, ServiceNotifier Notifier, string Version)
{
    /// <summary>
    /// Set by a program that can take more settings while it runs: called on a reload with a good configuration, on a pool thread, it puts
    /// into effect what it can and gives the starts of those keys, such as <c>alerts.</c>. Null: a reload changes log levels alone.
    /// </summary>
    public Func<TOptions, IReadOnlyList<string>>? OnReload { get; set; }
}

/// <summary>
/// What every service's Main does: command line, configuration with all its errors, log, signals, exit code. The one place that
/// reads the process environment.
/// </summary>
/// <param name="name">The program's name.</param>
/// <param name="summary">One line for its help.</param>
/// <param name="version">The program's version.</param>
/// <param name="environmentPrefix">Prefix of the environment variables that set configuration keys.</param>
/// <param name="settings">Its configuration.</param>
/// <param name="logOf">Where its log's settings are.</param>
/// <param name="run">Runs until the lifetime says stop; gives the exit code.</param>
/// <param name="moreHelp">Printed behind the help: what the program's owner does with other words.</param>
public sealed class ServiceProgram<TOptions>(
    string name, string summary, string version, string environmentPrefix, SettingCatalog<TOptions> settings,
    Func<TOptions, LogSettings> logOf, Func<ServiceContext<TOptions>, Task<ExitCode>> run, string moreHelp = "")
    where TOptions : class, new()
{
    /// <summary>How long a process that is already lost waits for the reader of its log.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(2);

    private string DefaultFile => OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "NodeAgent", name + ".json")
        : $"/etc/nodeagent/{name}.json";

    /// <summary>Does what the arguments say.</summary>
    public async Task<int> MainAsync(string[] arguments)
    {
        if (!ServiceArguments.TryParse(arguments, out ServiceArguments parsed, out string error))
        {
            await Console.Error.WriteLineAsync($"{name}: {error}; `{name} help` lists what there is").ConfigureAwait(false);
            return (int)ExitCode.Usage;
        }

        switch (parsed.Verb)
        {
            case ServiceVerb.Help:
                await Console.Out.WriteLineAsync(Help()).ConfigureAwait(false);
                return (int)ExitCode.Ok;
            case ServiceVerb.Version:
                await Console.Out.WriteLineAsync($"{name} {version}").ConfigureAwait(false);
                return (int)ExitCode.Ok;
            case ServiceVerb.PrintExample:
                await Console.Out.WriteAsync(ConfigurationText.Example(settings, $"Configuration of {name}: {summary}.")).ConfigureAwait(false);
                return (int)ExitCode.Ok;
            default:
                return (int)await WithConfigurationAsync(parsed).ConfigureAwait(false);
        }
    }

    private async Task<ExitCode> WithConfigurationAsync(ServiceArguments parsed)
    {
        LoadedConfiguration<TOptions> loaded = Load(parsed);
        if (!loaded.IsValid)
        {
            foreach (ConfigurationError problem in loaded.Errors)
            {
                await Console.Error.WriteLineAsync($"{name}: {problem}").ConfigureAwait(false);
            }

            return ExitCode.Usage;
        }

        switch (parsed.Verb)
        {
            case ServiceVerb.CheckConfiguration:
                await Console.Out.WriteLineAsync($"{name}: the configuration is good").ConfigureAwait(false);
                return ExitCode.Ok;
            case ServiceVerb.ShowConfiguration:
                await Console.Out.WriteAsync(ConfigurationText.Effective(loaded, parsed.WithSources)).ConfigureAwait(false);
                return ExitCode.Ok;
            case ServiceVerb.Run when OperatingSystem.IsWindows():
                return RunOnWindows(parsed, loaded);
            default:
                return await RunAsync(parsed, loaded, host: null).ConfigureAwait(false);
        }
    }

    private LoadedConfiguration<TOptions> Load(ServiceArguments parsed) => settings.Load(new ConfigurationSources
    {
        OptionalFiles = parsed.Files.Count == 0 ? [DefaultFile] : [],
        Files = parsed.Files,
        DropInFolder = Path.ChangeExtension(parsed.Files.Count == 0 ? DefaultFile : parsed.Files[^1], ".d"),
        Environment = ReadEnvironment(),
        EnvironmentPrefix = environmentPrefix,
        Overrides = parsed.Overrides,
    });

    // The manager's dispatcher wants the thread for itself until the service has ended; a person's console is told at once that there is none.
    [SupportedOSPlatform("windows")]
    private ExitCode RunOnWindows(ServiceArguments parsed, LoadedConfiguration<TOptions> loaded) =>
        WindowsServiceHost.TryRun(name, host => (int)RunAsync(parsed, loaded, host).GetAwaiter().GetResult(), out int exitCode)
            ? (ExitCode)exitCode
            : RunAsync(parsed, loaded, host: null).GetAwaiter().GetResult();

    private async Task<ExitCode> RunAsync(ServiceArguments parsed, LoadedConfiguration<TOptions> loaded, WindowsServiceHost? host)
    {
        TOptions options = loaded.Options;
        using WindowsEventSource? source = OperatingSystem.IsWindows() && host is not null ? new WindowsEventSource(name) : null;
        using EventLog log = OpenLog(options, source);
        ILogger own = log.CreateLogger("NodeAgent.Hosting.Program");
        using ServiceNotifier notifier = new(
            Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"))
        {
            OnPhase = host is null ? null : phase => TellManager(host, phase),
        };
        using ProcessLifetime lifetime = new(own, TimeProvider.System, new ProcessLifetimeOptions
        {
            Notifier = notifier,
            FlushLog = () => log.Flush(LastWords), // also before the runtime ends us for an exception that nobody caught
        });
        ServiceContext<TOptions> context = new(options, log, lifetime, notifier, version);
        ConfigurationReload<TOptions> reload = new(() => Load(parsed), loaded, wanted => Apply(wanted, context), notifier, TimeProvider.System, own);
        lifetime.OnReload(reload.Run);
        if (OperatingSystem.IsWindows() && host is not null)
        {
            host.OnStop = () => lifetime.RequestStop("the service manager");
            host.OnReload = lifetime.TakeReload;
        }

        try
        {
            return await run(context).ConfigureAwait(false);
        }
        catch (Exception e) // the last witness: whatever ends the process has to be in its log, with a non-zero exit code
        {
            own.ProgramFailed(e);
            return ExitCode.Failure;
        }
    }

    private static void TellManager(WindowsServiceHost host, ServicePhase phase)
    {
        if (!OperatingSystem.IsWindows())
        {
            return; // there is no host then
        }

        if (phase == ServicePhase.Ready)
        {
            host.State.Ready();
        }
        else
        {
            host.State.Stopping();
        }
    }

    private EventLog OpenLog(TOptions options, WindowsEventSource? source)
    {
        EventLogOptions logging = logOf(options).ToOptions();
        if (OperatingSystem.IsWindows() && source is not null)
        {
            logging.JournalPrefix = true; // says how bad a line is
            return new EventLog(logging, TimeProvider.System, new EventSourceStream(source.Report));
        }

        return EventLog.ToStandardError(logging, TimeProvider.System, Environment.GetEnvironmentVariable("JOURNAL_STREAM"));
    }

    private IReadOnlyList<string> Apply(TOptions wanted, ServiceContext<TOptions> context)
    {
        LogSettings logging = logOf(wanted);
        context.Log.SetLevels(logging.Level, logging.Levels);
        return ["log.level", .. context.OnReload?.Invoke(wanted) ?? []];
    }

    private static IEnumerable<KeyValuePair<string, string>> ReadEnvironment()
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            yield return KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? "");
        }
    }

    private string Help() =>
        $"""
        {name} {version}: {summary}

        usage: {name} COMMAND [--config FILE]... [--set key=value]...
          run                    run in the foreground, as a service manager wants it
          run --check-config     check the configuration and end
          config show            print the effective configuration; --sources adds where each value comes from (--effective: the same)
          config example         print an annotated example with every setting and its default
          version, help

        Without --config, {DefaultFile} is read if it exists. Files in the folder of the same name with .d follow,
        then environment variables ({environmentPrefix}SECTION__KEY), then --set. SIGHUP reads them again.
        """ + (moreHelp.Length > 0 ? $"\n\n{moreHelp}" : "");
}
