using System.Buffers;
using Google.Protobuf;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal.Reading;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Sinks;

/// <summary>
/// Reads the write-ahead log from a place on and turns its frames into line protocol. Frames lean on what came before them, so it begins
/// at the oldest record there is and only decodes until it comes to its place; with the durable store behind it the log is minutes.
/// Holds nothing but decoders: the log is the spool. One thread.
/// </summary>
internal sealed class LogFollower : IDisposable
{
    private readonly JournalReader _reader;
    private readonly SinkCounters _counters;
    private readonly IngestOptions _options;
    private readonly int _maxSeriesPerNode;
    private readonly ulong _sentThrough;
    private readonly Dictionary<ulong, FollowedStream> _streams = [];
    private readonly Dictionary<(string Node, Lane Lane), ulong> _current = [];
    private ulong _missed;

    /// <param name="wal">The log.</param>
    /// <param name="sentThrough">Records up to this one were dealt with in an earlier life.</param>
    /// <param name="options">Bounds of ingest.</param>
    /// <param name="maxSeriesPerNode">As the store has it: a label explosion ends here too.</param>
    /// <param name="counters">What is missed is counted here.</param>
    internal LogFollower(WriteAheadLog wal, ulong sentThrough, IngestOptions options, int maxSeriesPerNode, SinkCounters counters)
    {
        _reader = wal.OpenReader();
        _sentThrough = sentThrough;
        _options = options;
        _maxSeriesPerNode = maxSeriesPerNode;
        _counters = counters;
    }

    /// <summary>The newest record that was looked at.</summary>
    internal ulong LookedAt { get; private set; }

    /// <summary>When the newest record came, by the aggregator's clock, Unix ms; 0: none was read yet.</summary>
    internal long ReceivedUnixMs { get; private set; }

    /// <summary>Takes the next record. False: there is none yet, or the disk refuses it for now.</summary>
    /// <param name="output">Receives its lines.</param>
    /// <param name="samples">How many samples they have.</param>
    internal bool TryTake(IBufferWriter<byte> output, out int samples)
    {
        samples = 0;
        if (!_reader.TryReadPatiently(out JournalRecord record))
        {
            return false;
        }

        CountMissed(record.Id);
        if (record.LostBefore > 0)
        {
            LoseAll();
        }

        LookedAt = record.Id;
        samples = Take(record, output);
        return true;
    }

    public void Dispose() => _reader.Dispose();

    // What was released before it was read, or damaged; what lies before our place was dealt with.
    private void CountMissed(ulong id)
    {
        ulong missed = _reader.SkippedRecords + _reader.LostRecords;
        if (missed == _missed)
        {
            return;
        }

        ulong since = missed - _missed;
        _missed = missed;
        ulong ours = Math.Min(since, id - 1 > _sentThrough ? id - 1 - _sentThrough : 0);
        if (ours > 0)
        {
            _counters.AddSkipped((long)ours);
        }

        LoseAll();
    }

    private int Take(in JournalRecord record, IBufferWriter<byte> output)
    {
        try
        {
            switch ((WalRecordType)record.Type)
            {
                case WalRecordType.Open:
                    TakeOpening(record);
                    return 0;
                case WalRecordType.Message:
                    return TakeMessage(record, output);
                case WalRecordType.Node:
                    TakeState(record);
                    return 0;
                case WalRecordType.SetAside:
                    TakeSetAside(record);
                    return 0;
                default:
                    _counters.AddUnreadable();
                    return 0;
            }
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            _counters.AddUnreadable(); // as the replay: a later version's, or damage that no checksum saw
            return 0;
        }
    }

    private void TakeOpening(in JournalRecord record)
    {
        if (WalOpening.Read(record.Payload) is { } opening)
        {
            ReceivedUnixMs = Math.Max(ReceivedUnixMs, opening.ReceivedUnixMs);
            Begin(record.Id, opening.Node, opening.Hello.Lane == Lane.Backlog ? Lane.Backlog : Lane.Live);
        }
    }

    private void TakeState(in JournalRecord record)
    {
        if (NodeStateRecord.NameOf(record.Payload) is not { } name)
        {
            return;
        }

        // Only its streams are wanted; the rest goes into a node that nobody keeps.
        NodeIntake nobody = new(new FleetRegistry().GetOrAdd(name, 0), _options);
        NodeStateRecord.TryRead(record.Payload, nobody, stream =>
        {
            if (!_streams.ContainsKey(stream.Id))
            {
                FollowedStream followed = Begin(stream.Id, name, stream.Lane);
                foreach (byte[] message in stream.Schemas)
                {
                    followed.Take(AgentMessage.Parser.ParseFrom(message).Schema);
                }
            }
        });
    }

    private void TakeSetAside(in JournalRecord record)
    {
        WalFields fields = new(record.Payload);
        if (fields.TryReadVarint(out ulong stream) && _streams.TryGetValue(stream, out FollowedStream? followed))
        {
            followed.Lose();
        }
    }

    private int TakeMessage(in JournalRecord record, IBufferWriter<byte> output)
    {
        WalFields fields = new(record.Payload);
        if (!WalMessageHeader.TryRead(ref fields, out WalMessageHeader header) || !_streams.TryGetValue(header.Stream, out FollowedStream? stream))
        {
            _counters.AddUnreadable();
            return 0;
        }

        ReceivedUnixMs = Math.Max(ReceivedUnixMs, header.ReceivedUnixMs);
        if ((header.Flags & WalMessageFlags.AfterGap) != 0)
        {
            stream.Lose();
        }

        if (!FrameReader.TryOpen(fields.Rest, out FrameReader frame))
        {
            if (AgentMessage.Parser.ParseFrom(fields.Rest).Schema is { } schema)
            {
                stream.Take(schema);
            }

            return 0;
        }

        bool isWanted = (header.Flags & WalMessageFlags.DecodeOnly) == 0 && record.Id > _sentThrough;
        return stream.Take(ref frame, frame.WallUnixMs + header.CorrectionMs, isWanted ? output : null);
    }

    private FollowedStream Begin(ulong id, string node, Lane lane)
    {
        if (_current.Remove((node, lane), out ulong former))
        {
            _streams.Remove(former);
        }

        _current[(node, lane)] = id;
        return _streams[id] = new FollowedStream(node, _maxSeriesPerNode, _counters);
    }

    private void LoseAll()
    {
        foreach (FollowedStream stream in _streams.Values)
        {
            stream.Lose();
        }
    }
}
