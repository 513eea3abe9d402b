using Google.Protobuf;
using NodeAgent.Agent.Uplink;
using NodeAgent.V1;

namespace NodeAgent.Fuzz.Targets;

/// <summary>What the aggregator answers. The short way for acknowledgements must agree with the generated parser.</summary>
internal sealed class LinkReplyTarget : Engine.IFuzzTarget
{
    public string Name => "link_reply";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = 300 } }.ToByteArray(),
        new AggregatorMessage { Acknowledge = new Acknowledge { Sequence = ulong.MaxValue } }.ToByteArray(),
        new AggregatorMessage { Welcome = new Welcome { AcknowledgedSequence = 7 } }.ToByteArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        if (LinkReply.TryReadAcknowledge(input, out ulong sequence))
        {
            AggregatorMessage? expected = Parsed(input);
            Invariant.Holds(expected is not null, "what the generated parser refuses is refused");
            Invariant.Holds(expected!.Acknowledge?.Sequence == sequence, "both read the same");
        }
    }

    private static AggregatorMessage? Parsed(ReadOnlySpan<byte> input)
    {
        try
        {
            return AggregatorMessage.Parser.ParseFrom(input);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return null;
        }
    }

    // The second is the library's own answer to a length near 2^31, where its bound overflows. MessageDecoder answers both with INTERNAL.
    private static bool IsRefusal(Exception e) => e is InvalidProtocolBufferException or IndexOutOfRangeException;
}
