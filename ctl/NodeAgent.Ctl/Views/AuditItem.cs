using Google.Protobuf;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Views;

/// <summary>One record of a chain: a node's or the aggregator's.</summary>
internal sealed record AuditItem
{
    private const uint NodeRecord = 1;
    private const uint AggregatorRecord = 2;

    public required ulong Index { get; init; }

    public required string? Time { get; init; }

    /// <summary>intent, finish, refused, revert, checkpoint, note, reported; opened, approved, sent, ended, closed, halt, seen; release.</summary>
    public required string What { get; init; }

    public required string Detail { get; init; }

    /// <summary>Hexadecimal.</summary>
    public required string Hash { get; init; }

    public static AuditItem From(AuditLinkRecord record)
    {
        (long time, string what, string detail) = Read(record);
        return new AuditItem { Index = record.Index, Time = MomentText.Rfc3339(time), What = what, Detail = detail, Hash = Convert.ToHexStringLower(record.Hash.Span) };
    }

    private static (long Time, string What, string Detail) Read(AuditLinkRecord record)
    {
        try
        {
            return record.Type switch
            {
                NodeRecord => Of(AuditRecord.Parser.ParseFrom(record.Record)),
                AggregatorRecord => Of(CommandBookRecord.Parser.ParseFrom(record.Record)),
                255 => (0, "release", "older records may be gone"),
                _ => (0, "unknown", $"type {record.Type}"),
            };
        }
        catch (InvalidProtocolBufferException)
        {
            // Shown as what it is: `audit verify` says more.
            return (0, "unreadable", "");
        }
    }

    private static (long Time, string What, string Detail) Of(AuditRecord record) => (record.WallUnixMs, record.BodyCase.ToString().ToLowerInvariant(), record.BodyCase switch
    {
        AuditRecord.BodyOneofCase.Intent => $"{record.Intent.Kind} {Id(record.Intent.CommandId)} by {(record.Intent.Signers.Count > 0 ? string.Join(", ", record.Intent.Signers) : "nobody")}",
        AuditRecord.BodyOneofCase.Finish => $"{Id(record.Finish.CommandId)} {record.Finish.Outcome}: {record.Finish.Detail}",
        AuditRecord.BodyOneofCase.Refused => $"{record.Refused.Refusal}: {record.Refused.Detail}{(record.Refused.NotWritten > 0 ? $" ({record.Refused.NotWritten} not written)" : "")}",
        AuditRecord.BodyOneofCase.Revert => $"{record.Revert.Target} {(record.Revert.Reverted ? "put back" : "not put back")}: {record.Revert.Detail}",
        AuditRecord.BodyOneofCase.Note => $"{record.Note.Kind}: {record.Note.Detail}",
        AuditRecord.BodyOneofCase.Reported => $"{record.Reported.CommandIds.Count} results are with the aggregator",
        _ => "",
    });

    private static (long Time, string What, string Detail) Of(CommandBookRecord record) => (record.WallUnixMs, record.BodyCase.ToString().ToLowerInvariant(), record.BodyCase switch
    {
        CommandBookRecord.BodyOneofCase.Opened => $"{Id(record.Opened.RolloutId)} by {record.Opened.By}: {record.Opened.Targets.Count} nodes of {record.Opened.Selector}",
        CommandBookRecord.BodyOneofCase.Approved => $"{Id(record.Approved.RolloutId)} by {record.Approved.By}",
        CommandBookRecord.BodyOneofCase.Sent => $"{Id(record.Sent.RolloutId)} to {record.Sent.CommandIds.Count} nodes",
        CommandBookRecord.BodyOneofCase.Ended => string.Join("; ", record.Ended.Targets.Take(3).Select(end => $"{Id(end.CommandId)} {end.Phase}")) + (record.Ended.Targets.Count > 3 ? $" and {record.Ended.Targets.Count - 3} more" : ""),
        CommandBookRecord.BodyOneofCase.Closed => $"{Id(record.Closed.RolloutId)} {record.Closed.Phase}: {record.Closed.Detail}",
        CommandBookRecord.BodyOneofCase.Halt => $"{(record.Halt.Halted ? "halted" : "resumed")} by {record.Halt.By}: {record.Halt.Reason}",
        CommandBookRecord.BodyOneofCase.Seen => $"heads of {record.Seen.Nodes.Count} nodes",
        _ => "",
    });

    private static string Id(ByteString id) => id.Length == 16 ? new Guid(id.Span, bigEndian: true).ToString() : "?";
}

/// <summary>Where one chain ended.</summary>
internal sealed record HeadItem
{
    public required string Node { get; init; }

    /// <summary>Whose chain it is.</summary>
    public required string Owner { get; init; }

    /// <summary>INDEX:HASH.</summary>
    public required string Head { get; init; }

    public required string? Seen { get; init; }

    public static HeadItem From(string node, ByteString owner, ChainHead? head, long seenUnixMs) => new()
    {
        Node = node,
        Owner = owner.Length == 16 ? new Guid(owner.Span, bigEndian: true).ToString() : "",
        Head = $"{head?.Index ?? 0}:{Convert.ToHexStringLower((head?.Hash ?? ByteString.Empty).Span)}",
        Seen = MomentText.Rfc3339(seenUnixMs),
    };
}
