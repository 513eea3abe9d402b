namespace NodeAgent.Aggregator.Operations;

/// <summary>What is done with a state directory or a backup while no aggregator runs on it.</summary>
internal enum OfflineVerb
{
    Backup,
    Restore,
    Verify,
    Inspect,
}

/// <summary>The command line of <c>aggregator backup</c>, <c>restore</c>, <c>verify</c> and <c>inspect</c>.</summary>
internal sealed record OfflineArguments
{
    internal const string Usage = """
        usage: aggregator backup FILE [--directory [--link]]    back up the state directory: into one file, or a directory
               aggregator restore BACKUP [--force]              verify the backup, then put it into the state directory
               aggregator verify [BACKUP]                       verify every checksum of a backup, or of the state directory
               aggregator inspect [BACKUP] [--json]             what a backup, or the state directory, holds
        options: --state DIR            the state directory (default: state.directory of the configuration)
                 --store DIR            the store, where store.directory is not DIR/store
                 --config FILE          the configuration to read it from
                 --key-file FILE        the backup's key: 32 bytes or 64 hexadecimal digits
                 --passphrase-file FILE the backup's passphrase
        """;

    private static readonly Dictionary<string, OfflineVerb> Verbs = new(StringComparer.Ordinal)
    {
        ["backup"] = OfflineVerb.Backup, ["restore"] = OfflineVerb.Restore, ["verify"] = OfflineVerb.Verify, ["inspect"] = OfflineVerb.Inspect,
    };

    internal OfflineVerb Verb { get; private set; }

    /// <summary>The backup; null: the state directory is meant.</summary>
    internal string? Path { get; private set; }

    internal string? State { get; private set; }

    internal string? Store { get; private set; }

    internal string? Config { get; private set; }

    internal string? KeyFile { get; private set; }

    internal string? PassphraseFile { get; private set; }

    internal bool IsDirectory { get; private set; }

    internal bool IsLinked { get; private set; }

    internal bool IsForced { get; private set; }

    internal bool IsJson { get; private set; }

    /// <summary>Whether these arguments are for us.</summary>
    internal static bool IsMeant(IReadOnlyList<string> arguments) => arguments.Count > 0 && Verbs.ContainsKey(arguments[0]);

    /// <summary>Reads the arguments. False: <paramref name="error"/> is a sentence that names the one that is wrong.</summary>
    internal static bool TryParse(IReadOnlyList<string> arguments, out OfflineArguments parsed, out string error)
    {
        OfflineArguments found = new() { Verb = Verbs[arguments[0]] };
        error = "";
        for (int i = 1; i < arguments.Count && error.Length == 0; i++)
        {
            error = found.Take(arguments, ref i);
        }

        parsed = found;
        error = error.Length > 0 ? error : found.Contradiction();
        return error.Length == 0;
    }

    private string Take(IReadOnlyList<string> arguments, ref int index)
    {
        string argument = arguments[index];
        switch (argument)
        {
            case "--directory":
                IsDirectory = true;
                return "";
            case "--link":
                IsLinked = true;
                return "";
            case "--force":
                IsForced = true;
                return "";
            case "--json":
                IsJson = true;
                return "";
            case "--state" or "--store" or "--config" or "--key-file" or "--passphrase-file":
                if (index + 1 == arguments.Count)
                {
                    return $"{argument} needs a value";
                }

                SetValue(argument, arguments[++index]);
                return "";
            default:
                if (argument.StartsWith('-') || Path is not null)
                {
                    return argument.StartsWith('-') ? $"unknown option '{argument}'" : $"'{argument}' is one path too many";
                }

                Path = argument;
                return "";
        }
    }

    private void SetValue(string option, string value)
    {
        switch (option)
        {
            case "--state":
                State = value;
                break;
            case "--store":
                Store = value;
                break;
            case "--config":
                Config = value;
                break;
            case "--key-file":
                KeyFile = value;
                break;
            default:
                PassphraseFile = value;
                break;
        }
    }

    private string Contradiction() =>
        Path is null && Verb is OfflineVerb.Backup or OfflineVerb.Restore ? $"{Verb.ToString().ToLowerInvariant()} needs the backup's path"
        : KeyFile is not null && PassphraseFile is not null ? "--key-file and --passphrase-file exclude each other"
        : (IsDirectory || IsLinked) && Verb != OfflineVerb.Backup ? "--directory and --link are for backup"
        : IsLinked && (!IsDirectory || (KeyFile ?? PassphraseFile) is not null) ? "--link is for --directory, and not with a key"
        : IsForced && Verb != OfflineVerb.Restore ? "--force is for restore"
        : IsJson && Verb != OfflineVerb.Inspect ? "--json is for inspect"
        : "";
}
