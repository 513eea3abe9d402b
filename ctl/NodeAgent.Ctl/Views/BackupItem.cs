using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>What <c>nodectl backup</c> made.</summary>
internal sealed record BackupItem
{
    public static readonly Listing<BackupItem> Listing = new(
        "BackupList",
        [
            new("PATH", "path", item => item.Path, item => item.Path) { ShrinkTo = 16 },
            new("FILES", "files", item => Human.Grouped(item.Files), item => Raw.Whole(item.Files)) { RightAligned = true },
            new("SIZE", "bytes", item => Human.Bytes(item.Bytes), item => Raw.Whole(item.Bytes)) { RightAligned = true },
            new("LOG RECORD", "logId", item => Human.Grouped(item.LogId), item => Raw.Whole(item.LogId)) { RightAligned = true, DropOrder = 1 },
            new("ENCRYPTED", "encrypted", item => item.Encrypted ? "yes" : "no", item => item.Encrypted ? "true" : "false"),
        ],
        CtlJson.Default.BackupItem,
        "no backup");

    /// <summary>On the aggregator's machine.</summary>
    public required string Path { get; init; }

    public required uint Files { get; init; }

    public required ulong Bytes { get; init; }

    /// <summary>The newest record of the write-ahead log in it.</summary>
    public required ulong LogId { get; init; }

    public required bool Encrypted { get; init; }

    public static BackupItem From(BackupResult result) => new()
    {
        Path = result.Path, Files = result.Files, Bytes = result.Bytes, LogId = result.LogId, Encrypted = result.Encrypted,
    };
}
