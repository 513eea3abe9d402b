using NodeAgent.Agent.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Spool;

/// <summary>Counts a frame's samples without decoding it: a block says by a bitmap which columns have none.</summary>
internal static class FrameSamples
{
    private const int AbsentFlag = 2; // docs/formats/frame.md

    /// <param name="message">An encoded <c>AgentMessage</c>; anything but a frame has none.</param>
    /// <param name="shapeOf">The schema of an id; null: unknown, its samples cannot be counted.</param>
    internal static ulong Count(ReadOnlySpan<byte> message, Func<uint, SchemaShape?> shapeOf)
    {
        ProtoReader outer = new(message);
        if (!outer.TryReadField() || outer.Field != AgentMessage.FrameFieldNumber)
        {
            return 0;
        }

        ulong samples = 0;
        ProtoReader frame = new(outer.Bytes);
        while (frame.TryReadField())
        {
            if (frame.Field == Frame.BlocksFieldNumber && TryReadBlock(frame.Bytes, out uint id, out ReadOnlySpan<byte> payload) && shapeOf(id) is { } shape)
            {
                samples += Count(payload, shape);
            }
        }

        return samples;
    }

    /// <summary>Splits an encoded <c>Block</c>.</summary>
    internal static bool TryReadBlock(ReadOnlySpan<byte> block, out uint schemaId, out ReadOnlySpan<byte> payload)
    {
        schemaId = 0;
        payload = default;
        ProtoReader reader = new(block);
        while (reader.TryReadField())
        {
            if (reader.Field == Block.SchemaIdFieldNumber)
            {
                schemaId = (uint)reader.Number;
            }
            else if (reader.Field == Block.PayloadFieldNumber)
            {
                payload = reader.Bytes;
            }
        }

        return schemaId != 0;
    }

    private static ulong Count(ReadOnlySpan<byte> payload, SchemaShape shape)
    {
        ulong absent = 0;
        if (payload.Length > 0 && (payload[0] & AbsentFlag) != 0)
        {
            ReadOnlySpan<byte> bitmap = payload.Slice(1, Math.Min(payload.Length - 1, (shape.Series.Length + 7) / 8));
            for (int column = 0; column < Math.Min(shape.OwnColumns, bitmap.Length * 8); column++)
            {
                absent += (ulong)((bitmap[column >> 3] >> (column & 7)) & 1);
            }
        }

        return (ulong)shape.OwnColumns - absent;
    }
}
