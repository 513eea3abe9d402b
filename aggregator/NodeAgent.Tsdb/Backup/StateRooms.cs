namespace NodeAgent.Tsdb.Backup;

/// <summary>The directories of an aggregator's state that a backup holds. All are journals but the store.</summary>
public static class StateRooms
{
    /// <summary>The time-series store.</summary>
    public const string Store = "store";

    /// <summary>The write-ahead log.</summary>
    public const string Log = "wal";

    /// <summary>Events behind the log.</summary>
    public const string Events = "events";

    /// <summary>Records that were set aside.</summary>
    public const string Quarantine = "quarantine";

    /// <summary>How far the sink has read the log.</summary>
    public const string Sink = "sink";

    /// <summary>What the sink's server refused.</summary>
    public const string DeadLetters = "dead-letters";

    /// <summary>Decisions of placement.</summary>
    public const string Placement = "placement";

    /// <summary>Who may be whom: join tokens, enrolled identities, revocations.</summary>
    public const string Identity = "identity";

    /// <summary>What was commanded, and what came of it.</summary>
    public const string Commands = "commands";

    /// <summary>Incidents, silences, verdicts.</summary>
    public const string Incidents = "incidents";

    /// <summary>Which job held which GPU when.</summary>
    public const string Jobs = "jobs";

    /// <summary>A restore that is under way or was interrupted: nothing may be opened while it is there.</summary>
    public const string UnfinishedRestore = "restore.unfinished";

    /// <summary>Rooms in the order in which they are cut; <see cref="BackupCut"/> says why.</summary>
    public static IReadOnlyList<string> CuttingOrder { get; } = [Sink, DeadLetters, Placement, Commands, Identity, Incidents, Jobs, Quarantine, Events, Store, Log];

    /// <summary>The directories with files, those of the store one by one.</summary>
    internal static IReadOnlyList<string> Directories { get; } =
    [
        .. CuttingOrder.SelectMany(room => room == Store
            ? [$"{Store}/segments", $"{Store}/quarantine", $"{Store}/manifest", $"{Store}/manifest/quarantine"]
            : new[] { room, $"{room}/quarantine" }),
    ];
}
