using System.Security.Cryptography;
using System.Text;

namespace NodeAgent.Commands;

/// <summary>
/// The ids that a command names. They are worked out from what people know, the fleet's and the node's name, so that whoever signs need not
/// believe an aggregator that says which id is whose: a wrong incarnation makes a command that nobody takes, never one for another node.
/// </summary>
public static class CommandIdentity
{
    public const int IncarnationBytes = 16;

    /// <summary>UUIDv8 (RFC 9562, 5.8) of SHA-256("nodeagent.fleet.v1", 0, name).</summary>
    public static Guid FleetOf(string fleet) => Derive("nodeagent.fleet.v1", fleet, []);

    /// <summary>UUIDv8 of SHA-256("nodeagent.agent.v1", 0, fleet/node, 0, incarnation).</summary>
    /// <param name="fleet">The fleet's name.</param>
    /// <param name="node">The node's name.</param>
    /// <param name="incarnation">16 random bytes, made with the node's command journal.</param>
    /// <exception cref="ArgumentException">Not 16 bytes.</exception>
    public static Guid AgentOf(string fleet, string node, ReadOnlySpan<byte> incarnation) =>
        incarnation.Length == IncarnationBytes
            ? Derive("nodeagent.agent.v1", $"{fleet}/{node}", incarnation)
            : throw new ArgumentException($"an incarnation of {IncarnationBytes} bytes is wanted, not {incarnation.Length}", nameof(incarnation));

    /// <summary>Whose an aggregator's own chain is: it does not name itself in what it writes, its records do.</summary>
    public static Guid Aggregator { get; } = Derive("nodeagent.aggregator.v1", "", []);

    private static Guid Derive(string domain, string text, ReadOnlySpan<byte> more)
    {
        byte[] hash = SHA256.HashData([.. Encoding.UTF8.GetBytes(domain), 0, .. Encoding.UTF8.GetBytes(text), 0, .. more]);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80); // version 8
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80); // variant 10
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}
