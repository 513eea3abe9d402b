using NodeAgent.Agent.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Spool;

/// <summary>The numbers that a spool needs of a message, read without a parser's allocations.</summary>
/// <param name="Sequence">0: it is no frame, event or inventory.</param>
/// <param name="MonotonicNs">Of a frame.</param>
/// <param name="WallUnixMs">Of a frame.</param>
/// <param name="StandsFor">Sequences that it takes the place of, ending with its own; at least 1.</param>
/// <param name="Boot">Of a frame.</param>
/// <param name="Clock">Of a frame.</param>
internal readonly record struct MessageNumbers(ulong Sequence, ulong MonotonicNs, ulong WallUnixMs, uint StandsFor, uint Boot, uint Clock)
{
    /// <summary>The first sequence it stands for.</summary>
    internal ulong FirstSequence => Sequence - Math.Min(Sequence, StandsFor) + 1;

    internal static MessageNumbers Read(ReadOnlySpan<byte> message)
    {
        ProtoReader outer = new(message);
        if (!outer.TryReadField() || outer.Field is not (AgentMessage.FrameFieldNumber or AgentMessage.EventFieldNumber or AgentMessage.InventoryFieldNumber))
        {
            return default;
        }

        Span<ulong> fields = stackalloc ulong[9];
        fields.Clear();
        bool isFrame = outer.Field == AgentMessage.FrameFieldNumber;
        ProtoReader inner = new(outer.Bytes);
        while (inner.TryReadField())
        {
            if (inner.Field < fields.Length)
            {
                fields[inner.Field] = inner.Number;
            }

            if (!isFrame && inner.Field == 1)
            {
                return new MessageNumbers(fields[1], 0, 0, 1, 0, 0);
            }
        }

        return isFrame
            ? new MessageNumbers(fields[1], fields[3], fields[2], (uint)Math.Max(1, fields[7]), (uint)fields[8], (uint)fields[4])
            : default;
    }
}
