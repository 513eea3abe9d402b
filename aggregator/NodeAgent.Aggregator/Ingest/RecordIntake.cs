using System.Numerics;
using Google.Protobuf;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.V1;
using ContractKind = NodeAgent.Contracts.Metrics.MetricKind;
using ContractLabel = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>What became of one message.</summary>
internal enum IntakeOutcome
{
    /// <summary>Stored, or it needed no storing.</summary>
    Taken,

    /// <summary>Set aside and counted; the stream goes on.</summary>
    Rejected,

    /// <summary>The agent broke the contract; the stream must end.</summary>
    Broken,
}

/// <summary>
/// Takes one agent's messages in order: keeps its decoders, drops what came before by sequence, resolves schemas to series, and
/// appends. Synchronous and without allocation for a frame. One stream, one thread at a time.
/// </summary>
internal sealed class RecordIntake(FleetNode node, ITimeSeriesStore store, EventLedger events, IngestCounters counters, TimeProvider time)
{
    /// <summary>More columns than any host we know has in one sampler, by a factor of ten.</summary>
    internal const int MaxSeriesPerSchema = 20_000;

    /// <summary>Samplers of one agent at most; a stream with more is not one of ours.</summary>
    internal const int MaxSchemas = 256;

    private readonly Dictionary<uint, SchemaState> _schemas = [];

    // Schemas the store would not take (quota, a broken rule), with their samplers: their blocks are counted and passed over, the other
    // samplers go on.
    private readonly Dictionary<uint, string> _refused = [];
    private ulong _lastSeen;

    /// <summary>Why the last message was not taken: one sentence for both logs.</summary>
    internal string Reason { get; private set; } = "";

    /// <summary>Sequence of the last message that had one.</summary>
    internal ulong LastSequence { get; private set; }

    /// <summary>The last message was a frame, which another one follows soon.</summary>
    internal bool LastWasFrame { get; private set; }

    /// <summary>Takes one encoded <c>AgentMessage</c>.</summary>
    internal IntakeOutcome Take(ReadOnlySpan<byte> message)
    {
        LastWasFrame = false;
        if (FrameReader.TryOpen(message, out FrameReader frame))
        {
            LastWasFrame = true;
            return TakeFrame(ref frame, message.Length);
        }

        try
        {
            return TakeRare(AgentMessage.Parser.ParseFrom(message));
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            // The second is what Google.Protobuf throws for a length near 2^31, where its own bound overflows.
            return Broken($"message of {message.Length} bytes is not an AgentMessage: {e.Message}");
        }
    }

    private IntakeOutcome TakeFrame(ref FrameReader frame, int bytes)
    {
        if (frame.IsMalformed || frame.Sequence == 0)
        {
            return Broken("frame: its header is malformed or has no sequence");
        }

        bool isNew = Advance(frame.Sequence, frame.IsKey);
        int samples = 0;
        Reason = "";
        while (frame.TryReadBlock(out uint schemaId, out ReadOnlySpan<byte> payload))
        {
            if (!_schemas.TryGetValue(schemaId, out SchemaState? schema))
            {
                if (_refused.ContainsKey(schemaId))
                {
                    counters.AddRefusedBlock();
                    continue;
                }

                return Broken($"frame {frame.Sequence}: schema {schemaId} was not registered on this stream");
            }

            samples += TakeBlock(schema, payload, frame.WallUnixMs, isNew);
        }

        if (frame.IsMalformed)
        {
            return Broken($"frame {frame.Sequence}: its blocks are malformed");
        }

        if (!isNew)
        {
            counters.AddDuplicate();
            return IntakeOutcome.Taken;
        }

        node.Clock = frame.Clock;
        node.LastFrameUnixMs = frame.WallUnixMs;
        counters.AddFrame(samples, bytes);
        Finish(frame.Sequence);
        return Reason.Length == 0 ? IntakeOutcome.Taken : Rejected();
    }

    private int TakeBlock(SchemaState schema, ReadOnlySpan<byte> payload, long unixMs, bool isNew)
    {
        BlockError error = schema.Decoder.Decode(payload);
        if (error != BlockError.None)
        {
            counters.AddUnreadableBlock();
            if (error != BlockError.NeedsKey)
            {
                Reason = $"block of sampler {schema.Handle.Sampler} is unreadable: {error}";
            }

            return 0;
        }

        return isNew && TryAppend(schema, unixMs) ? CountPresent(schema.Decoder.Present) : 0;
    }

    private bool TryAppend(SchemaState schema, long unixMs)
    {
        AppendResult result = store.Append(schema.Handle, unixMs, schema.Decoder.Values, schema.Decoder.Present);
        if (result == AppendResult.Expired)
        {
            RegisterResult again = store.Register(node.Name, schema.Handle.Sampler, schema.Handle.IntervalMs, schema.Definitions);
            if (!again.IsAccepted)
            {
                Reason = again.Detail;
                return false;
            }

            schema.Handle = again.Handle;
            result = store.Append(schema.Handle, unixMs, schema.Decoder.Values, schema.Decoder.Present);
        }

        if (result is AppendResult.TooOld or AppendResult.TooNew or AppendResult.Expired)
        {
            Reason = result == AppendResult.TooNew
                ? "its time is too far ahead of the aggregator's clock"
                : "its time is older than what the store keeps";
            return false;
        }

        return true;
    }

    private IntakeOutcome TakeRare(AgentMessage message)
    {
        switch (message.BodyCase)
        {
            case AgentMessage.BodyOneofCase.Schema:
                return TakeSchema(message.Schema);
            case AgentMessage.BodyOneofCase.Event:
                return TakeEvent(message.Event);
            case AgentMessage.BodyOneofCase.Inventory:
                return TakeInventory(message.Inventory);
            case AgentMessage.BodyOneofCase.Hello:
                return Broken("a second hello on one stream");
            case AgentMessage.BodyOneofCase.Frame:
                // TryOpen left it to the generated parser: a legal encoding that no serializer we know produces.
                return Broken($"frame {message.Frame.Sequence}: it must be the only field of its message");
            default:
                // A newer agent may send what this aggregator does not know. Without a sequence it cannot be acknowledged.
                return IntakeOutcome.Taken;
        }
    }

    private IntakeOutcome TakeSchema(Schema schema)
    {
        LastSequence = 0;
        ForgetFormer(schema.Sampler);
        if (_schemas.Count + _refused.Count >= MaxSchemas)
        {
            return Broken($"schema {schema.SchemaId}: more than {MaxSchemas} samplers on one stream");
        }

        if (schema.Series.Count is 0 or > MaxSeriesPerSchema)
        {
            return Refused(schema, $"{schema.Series.Count} series; 1 to {MaxSeriesPerSchema} are allowed");
        }

        SeriesDefinition[] definitions = new SeriesDefinition[schema.Series.Count];
        for (int i = 0; i < definitions.Length; i++)
        {
            SeriesDescriptor series = schema.Series[i];
            if (series.Kind is not (MetricKind.Gauge or MetricKind.Counter))
            {
                return Refused(schema, $"series {i} ({series.Metric}) has the kind {(int)series.Kind}, which is neither gauge nor counter");
            }

            definitions[i] = new SeriesDefinition(
                series.Metric, (ContractKind)series.Kind, series.Unit, series.Scale, series.Labels.Select(label => new ContractLabel(label.Name, label.Value)));
        }

        RegisterResult result = store.Register(node.Name, schema.Sampler, (int)Math.Min(schema.IntervalMs, int.MaxValue), definitions);
        if (!result.IsAccepted)
        {
            return Refused(schema, result.Detail);
        }

        _schemas[schema.SchemaId] = new SchemaState(result.Handle, definitions);
        node.ShortestIntervalMs = _schemas.Values.Where(s => s.Handle.IntervalMs > 0).Select(s => s.Handle.IntervalMs).DefaultIfEmpty(0).Min();
        return IntakeOutcome.Taken;
    }

    // A sampler has one schema at a time, and records come in order: nothing refers to the former one any more.
    private void ForgetFormer(string sampler)
    {
        foreach ((uint id, SchemaState former) in _schemas)
        {
            if (former.Handle.Sampler == sampler)
            {
                _schemas.Remove(id);
            }
        }

        foreach ((uint id, string former) in _refused)
        {
            if (former == sampler)
            {
                _refused.Remove(id);
            }
        }
    }

    private IntakeOutcome TakeEvent(Event record)
    {
        if (record.Sequence == 0)
        {
            return Broken("event without a sequence");
        }

        if (!Advance(record.Sequence, isKey: false))
        {
            counters.AddDuplicate();
            return IntakeOutcome.Taken;
        }

        if (IsNewFromKernel(record))
        {
            events.Add(node.Name, record, time.GetUtcNow().ToUnixTimeMilliseconds());
            counters.AddEvent();
        }
        else
        {
            counters.AddDuplicate();
        }

        Finish(record.Sequence);
        return IntakeOutcome.Taken;
    }

    // Boot and kernel sequence are an event's identity, whatever spool epoch brings it. The kernel log is read in order.
    private bool IsNewFromKernel(Event record)
    {
        if (!record.HasKernelSequence)
        {
            return true;
        }

        (string bootId, ulong newest) = node.LastKernelRecord;
        if (record.BootId == bootId && record.KernelSequence <= newest)
        {
            return false;
        }

        node.LastKernelRecord = (record.BootId, record.KernelSequence);
        return true;
    }

    private IntakeOutcome TakeInventory(Inventory record)
    {
        if (record.Sequence == 0)
        {
            return Broken("inventory without a sequence");
        }

        // Kept also when it came before: after a restart of the aggregator an old one is better than none.
        bool isNew = Advance(record.Sequence, isKey: false);
        node.Inventory = record;
        if (isNew)
        {
            Finish(record.Sequence);
        }
        else
        {
            counters.AddDuplicate();
        }

        return IntakeOutcome.Taken;
    }

    // True: the record is new. A gap in the sequence means that the agent dropped records, so deltas have lost their base.
    private bool Advance(ulong sequence, bool isKey)
    {
        if (sequence != _lastSeen + 1 && !isKey)
        {
            foreach (SchemaState schema in _schemas.Values)
            {
                schema.Decoder.Lose();
            }
        }

        _lastSeen = sequence;
        LastSequence = sequence;
        return sequence > node.LastSequence;
    }

    private void Finish(ulong sequence)
    {
        node.LastSequence = sequence;
        node.LastReceivedUnixMs = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    private IntakeOutcome Refused(Schema schema, string why)
    {
        _refused[schema.SchemaId] = schema.Sampler;
        Reason = $"schema {schema.SchemaId} ({schema.Sampler}): {why}";
        return Rejected();
    }

    private IntakeOutcome Rejected()
    {
        counters.AddRejected();
        return IntakeOutcome.Rejected;
    }

    private IntakeOutcome Broken(string reason)
    {
        Reason = reason;
        counters.AddBrokenStream();
        return IntakeOutcome.Broken;
    }

    private static int CountPresent(ReadOnlySpan<ulong> present)
    {
        int count = 0;
        foreach (ulong word in present)
        {
            count += BitOperations.PopCount(word);
        }

        return count;
    }

    private sealed class SchemaState(SchemaHandle handle, SeriesDefinition[] definitions)
    {
        internal SchemaHandle Handle { get; set; } = handle;

        internal SeriesDefinition[] Definitions { get; } = definitions;

        internal BlockDecoder Decoder { get; } = new(definitions);
    }
}
