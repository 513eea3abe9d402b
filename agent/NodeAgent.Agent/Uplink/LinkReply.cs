using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>Reads what the aggregator says: an acknowledgement, which comes every few seconds for years, without allocation.</summary>
internal static class LinkReply
{
    // {2: {1: varint}}: three bytes before a number of at most ten.
    private const int LongestAcknowledge = 13;

    /// <summary>True: the message is an acknowledgement and nothing else.</summary>
    internal static bool TryReadAcknowledge(ReadOnlySpan<byte> message, out ulong sequence)
    {
        sequence = 0;
        if (message.Length is < 4 or > LongestAcknowledge || message[0] != ((AggregatorMessage.AcknowledgeFieldNumber << 3) | 2)
            || message[1] != message.Length - 2 || message[2] != (Acknowledge.SequenceFieldNumber << 3))
        {
            return false;
        }

        for (int i = 3, shift = 0; i < message.Length; i++, shift += 7)
        {
            sequence |= (ulong)(message[i] & 0x7F) << shift;
            if (message[i] < 0x80)
            {
                return i == message.Length - 1;
            }
        }

        return false;
    }
}
