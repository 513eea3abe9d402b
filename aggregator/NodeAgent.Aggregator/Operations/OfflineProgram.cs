using System.Collections;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Hosting.Configuration;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Journal.Files;
using NodeAgent.Tsdb.Backup;

namespace NodeAgent.Aggregator.Operations;

/// <summary>
/// <c>aggregator backup</c>, <c>restore</c>, <c>verify</c> and <c>inspect</c>: on the files of an aggregator that does not run. The directory
/// is locked meanwhile. Results go to standard output, how far it is to standard error.
/// </summary>
internal sealed class OfflineProgram(
    OfflineArguments arguments, string stateDirectory, string? storeDirectory, BackupKey? key, TextWriter output, TextWriter errors, ProgressLine progress, TimeProvider time,
    string version)
{
    private readonly IFileOps _files = FileOps.ForThisMachine();

    /// <summary>Runs what the arguments say; returns the exit code.</summary>
    internal static int Run(string[] arguments, string version)
    {
        if (!OfflineArguments.TryParse(arguments, out OfflineArguments parsed, out string error))
        {
            Console.Error.WriteLine($"aggregator: {error}");
            Console.Error.WriteLine(OfflineArguments.Usage);
            return (int)ExitCode.Usage;
        }

        BackupKey? key = BackupKeyFiles.Read(parsed.KeyFile, parsed.PassphraseFile, out string problem);
        if (problem.Length > 0)
        {
            Console.Error.WriteLine($"aggregator: {problem}");
            return (int)ExitCode.Usage;
        }

        if (Directories(parsed) is not { } directories)
        {
            return (int)ExitCode.Usage;
        }

        using CancellationTokenSource interrupted = new();
        Console.CancelKeyPress += (_, press) =>
        {
            press.Cancel = true;
            interrupted.Cancel();
        };
        ProgressLine progress = new(Console.Error, !Console.IsErrorRedirected, TimeProvider.System);
        OfflineProgram program = new(parsed, directories.State, directories.Store, key, Console.Out, Console.Error, progress, TimeProvider.System, version);
        return (int)program.Run(interrupted.Token);
    }

    internal ExitCode Run(CancellationToken cancellation)
    {
        try
        {
            return arguments.Verb switch
            {
                OfflineVerb.Backup => Backup(cancellation),
                OfflineVerb.Restore => Restore(cancellation),
                OfflineVerb.Verify => Verify(cancellation),
                _ => Inspect(),
            };
        }
        catch (BackupException e)
        {
            progress.End();
            errors.WriteLine($"aggregator: {e.Message}");
            return e.Failure switch
            {
                BackupFailure.InTheWay or BackupFailure.WrongKey => ExitCode.Usage,
                BackupFailure.InUse or BackupFailure.NewerVersion => ExitCode.StateUnusable,
                BackupFailure.NotABackup => ExitCode.NotFound,
                _ => ExitCode.Failure,
            };
        }
        catch (OperationCanceledException)
        {
            progress.End();
            errors.WriteLine("aggregator: interrupted; what was not finished is no backup, and no state was replaced");
            return ExitCode.Failure;
        }
    }

    private ExitCode Backup(CancellationToken cancellation)
    {
        using StateOnDisk state = OpenState();
        using BackupCut cut = state.Cut();
        BackupOptions options = new()
        {
            Target = Path.GetFullPath(arguments.Path!),
            IsSingleFile = !arguments.IsDirectory,
            IsLinked = arguments.IsLinked,
            Key = key,
            Program = $"aggregator {version}",
            NowUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        BackupIndex index = BackupWriter.Write(_files, cut, options, progress, cancellation);
        progress.End();
        output.WriteLine($"{options.Target}: {index.Entries.Count} files, {index.TotalBytes} bytes, log record {index.LogId}{(key is null ? "" : ", encrypted")}");
        return ExitCode.Ok;
    }

    private ExitCode Restore(CancellationToken cancellation)
    {
        using BackupView backup = BackupView.Open(_files, Path.GetFullPath(arguments.Path!), key);
        RestoreOptions options = new()
        {
            Directory = stateDirectory, StoreDirectory = storeDirectory, IsForced = arguments.IsForced, Now = time.GetUtcNow(),
        };
        IReadOnlyList<string> aside = RestoreJob.Run(_files, backup, options, time, progress, cancellation);
        progress.End();
        output.WriteLine($"{stateDirectory}: {backup.Index.Entries.Count} files, {backup.Index.TotalBytes} bytes restored");
        if (aside.Count > 0)
        {
            output.WriteLine($"the former state is in {string.Join(" and ", aside)}; delete it when it is not needed");
        }

        return ExitCode.Ok;
    }

    private ExitCode Verify(CancellationToken cancellation)
    {
        StateReport report = Check(cancellation);
        progress.End();
        foreach (StateFinding finding in report.Findings)
        {
            output.WriteLine($"{(finding.IsDamage ? "DAMAGED" : "note")} {finding}");
        }

        string what = arguments.Path ?? stateDirectory;
        output.WriteLine(report.IsSound
            ? $"{what}: sound; every checksum of {report.Files} files verified"
            : $"{what}: {report.Findings.Count(finding => finding.IsDamage)} damaged places");
        return report.IsSound ? ExitCode.Ok : ExitCode.Failure;
    }

    private StateReport Check(CancellationToken cancellation)
    {
        if (arguments.Path is { } path)
        {
            using BackupView backup = BackupView.Open(_files, Path.GetFullPath(path), key);
            return StateCheck.Run(backup, time, progress, cancellation);
        }

        using StateOnDisk state = OpenState();
        return StateCheck.Run(state, progress, cancellation);
    }

    private ExitCode Inspect()
    {
        if (arguments.Path is { } path)
        {
            using BackupView backup = BackupView.Open(_files, Path.GetFullPath(path), key);
            using StateOnDisk inside = StateOnDisk.Open(backup, time);
            InspectionText.Write(output, StateInspection.Of(inside), backup.Index, arguments.IsJson);
            return ExitCode.Ok;
        }

        using StateOnDisk state = OpenState();
        InspectionText.Write(output, StateInspection.Of(state), null, arguments.IsJson);
        return ExitCode.Ok;
    }

    private StateOnDisk OpenState() => StateOnDisk.Open(_files, stateDirectory, time, storeDirectory);

    /// <summary>Where the state is, and the store where that is elsewhere; null: the configuration does not say.</summary>
    private static (string State, string? Store)? Directories(OfflineArguments arguments)
    {
        bool needsState = arguments.Path is null || arguments.Verb is OfflineVerb.Backup or OfflineVerb.Restore;
        if (arguments.State is not null || !needsState)
        {
            return (Path.GetFullPath(arguments.State ?? "."), Full(arguments.Store));
        }

        LoadedConfiguration<AggregatorOptions> loaded = AggregatorOptions.Settings.Load(new ConfigurationSources
        {
            OptionalFiles = arguments.Config is null ? ["/etc/nodeagent/aggregator.json"] : [],
            Files = arguments.Config is null ? [] : [arguments.Config],
            DropInFolder = Path.ChangeExtension(arguments.Config ?? "/etc/nodeagent/aggregator.json", ".d"),
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(pair => KeyValuePair.Create((string)pair.Key, (string?)pair.Value ?? "")),
            EnvironmentPrefix = "AGGREGATOR_",
        });
        foreach (ConfigurationError problem in loaded.Errors)
        {
            Console.Error.WriteLine($"aggregator: {problem}");
        }

        if (!loaded.IsValid)
        {
            Console.Error.WriteLine("aggregator: --state DIR does without the configuration");
        }

        return loaded.IsValid ? (Path.GetFullPath(loaded.Options.State.Directory), Full(arguments.Store ?? loaded.Options.Store.Directory)) : null;
    }

    private static string? Full(string? path) => path is null ? null : Path.GetFullPath(path);
}
