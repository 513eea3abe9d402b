using Google.Protobuf;
using NodeAgent.V1;

namespace NodeAgent.Commands.Audit;

/// <summary>Heads and records of a chain as messages, and back.</summary>
public static class AuditRecords
{
    public static ChainHead ToMessage(AuditHead head) => new() { Index = head.Index, Hash = ByteString.CopyFrom(Convert.FromHexString(head.Hash)) };

    /// <summary>Null: no hash of the right length.</summary>
    public static AuditHead? FromMessage(ChainHead? head) =>
        head is { Hash.Length: AuditLink.HashBytes } ? new AuditHead(head.Index, Convert.ToHexStringLower(head.Hash.Span)) : null;

    /// <param name="index">Its place in the chain.</param>
    /// <param name="type">Its type.</param>
    /// <param name="link">Header and record.</param>
    public static AuditLinkRecord ToMessage(ulong index, byte type, ReadOnlySpan<byte> link) => new()
    {
        Index = index,
        Type = type,
        Previous = ByteString.CopyFrom(link[..AuditLink.HashBytes]),
        Hash = ByteString.CopyFrom(link.Slice(AuditLink.HashBytes, AuditLink.HashBytes)),
        Record = ByteString.CopyFrom(link[AuditLink.HeaderBytes..]),
    };

    /// <summary>Shows a walk one record. What has no right form it finds unreadable.</summary>
    public static void AddTo(AuditWalk walk, AuditLinkRecord record)
    {
        bool isWhole = record.Previous.Length == AuditLink.HashBytes && record.Hash.Length == AuditLink.HashBytes && record.Type <= byte.MaxValue;
        walk.Add(record.Index, (byte)record.Type, isWhole ? [.. record.Previous.Span, .. record.Hash.Span, .. record.Record.Span] : []);
    }

    /// <summary>One line of an export.</summary>
    public static void Write(TextWriter into, AuditLinkRecord record) =>
        AuditExport.Write(into, record.Index, (byte)record.Type, [.. record.Previous.Span, .. record.Hash.Span, .. record.Record.Span]);
}
