using System.Numerics;
using NodeAgent.Contracts.Frames;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Decodes a frame's blocks and stores their rows: the same for a frame that arrives and for one that is read back from the log. One bad
/// block, or one impossible value, never costs the others.
/// </summary>
internal sealed class FrameApplier(SchemaTable schemas, ISeriesWriter store, IngestCounters counters, IngestTap? tap)
{
    private readonly IDurableStore? _durable = store as IDurableStore;

    /// <summary>Why something of the last frame was not stored; empty: all of it was.</summary>
    internal string Problem { get; private set; } = "";

    /// <summary>A block of the last frame could not be read because its schema, or the key block before it, never came.</summary>
    internal bool LacksBase { get; private set; }

    /// <summary>
    /// Takes all blocks of the frame that is in the log under this id. With <paramref name="isStored"/> false they only move the decoders
    /// on. Returns the samples stored.
    /// </summary>
    internal int Apply(ref FrameReader frame, long unixMs, bool isStored, ulong logId)
    {
        Problem = "";
        LacksBase = false;
        int samples = 0;
        while (frame.TryReadBlock(out uint schemaId, out ReadOnlySpan<byte> payload))
        {
            if (schemas.TryFind(schemaId, out SchemaColumns? schema))
            {
                samples += TakeBlock(schema, payload, unixMs, isStored, logId);
            }
            else
            {
                LacksBase |= !schemas.IsRefused(schemaId);
                counters.AddRefusedBlock();
            }
        }

        return samples;
    }

    private int TakeBlock(SchemaColumns schema, ReadOnlySpan<byte> payload, long unixMs, bool isStored, ulong logId)
    {
        BlockError error = schema.Decoder.Decode(payload);
        if (error != BlockError.None)
        {
            counters.AddUnreadableBlock();
            LacksBase |= error == BlockError.NeedsKey;

            // Of what is not to be stored nothing is missing: it is here already, or was refused for another reason.
            if (error != BlockError.NeedsKey)
            {
                Problem = $"block of sampler {schema.Handle.Sampler} is unreadable: {error}";
            }
            else if (isStored)
            {
                Problem = $"block of sampler {schema.Handle.Sampler} builds on records that never came";
            }

            return 0;
        }

        if (!isStored)
        {
            return 0;
        }

        ReadOnlySpan<double> values = schema.Decoder.Values;
        ReadOnlySpan<ulong> present = schema.Screen.Pass(values, schema.Decoder.Present, out int refused, out int first);
        if (refused > 0)
        {
            counters.AddRefusedValues(refused);
            Problem = $"sampler {schema.Handle.Sampler}: {refused} impossible values, the first is {schema.Definitions[first].Metric} = {values[first]:R}";
        }

        if (!TryAppend(schema, unixMs, values, present, logId))
        {
            return 0;
        }

        tap?.Follower?.OnRow(schema.Handle, unixMs, values, present);
        return CountPresent(present);
    }

    private bool TryAppend(SchemaColumns schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong logId)
    {
        AppendResult result = Append(schema, unixMs, values, present, logId);
        if (result == AppendResult.Expired)
        {
            if (schemas.Renew(schema) is { } refusal)
            {
                Problem = refusal;
                return false;
            }

            result = Append(schema, unixMs, values, present, logId);
        }

        if (result is AppendResult.TooOld or AppendResult.TooNew or AppendResult.Expired)
        {
            Problem = result == AppendResult.TooNew ? FrameClock.TooNew : FrameClock.TooOld;
            return false;
        }

        return true;
    }

    private AppendResult Append(SchemaColumns schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong logId) =>
        _durable is null
            ? store.Append(schema.Handle, unixMs, values, present)
            : _durable.Append(schema.Handle, unixMs, values, present, logId);

    private static int CountPresent(ReadOnlySpan<ulong> present)
    {
        int count = 0;
        foreach (ulong word in present)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }
}
