using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>
/// An agent as the contract wants it, without network and disk: it keeps every record until it was acknowledged, and after each end of
/// its stream goes back to the key frame at or before the first that is missing. Frames carry their sequence as value; every seventh
/// record is an event named after its sequence.
/// </summary>
internal sealed class ModelAgent(TestIngest ingest, string node, ulong epoch = 5)
{
    private readonly AgentSide _side = new();
    private readonly List<(ulong Sequence, byte[] Message, bool IsKey)> _held = [];
    private byte[]? _schema;
    private LinkStream? _stream;
    private ulong _nextToSend = 1;

    internal string Node => node;

    internal string Metric { get; } = $"m_{node}";

    /// <summary>Records made so far.</summary>
    internal ulong Made => _side.Next - 1;

    /// <summary>Records that the aggregator has answered for.</summary>
    internal SequenceSet Acknowledged { get; } = new();

    internal bool IsConnected => _stream is { End: null };

    /// <summary>The aggregator is gone, or the connection.</summary>
    internal void Disconnect() => _stream = null;

    internal void CloseStream()
    {
        _stream?.Close();
        _stream = null;
    }

    internal void MakeRecord()
    {
        _schema ??= _side.Schema(1, "s", Metric, "same_total");
        ulong sequence = _side.Next;
        if (sequence % 7 == 0)
        {
            _held.Add((sequence, _side.Event($"e{sequence}"), false));
            return;
        }

        bool isKey = sequence % 10 == 1;
        double[] values = [sequence, sequence * 3];
        _held.Add((sequence, isKey ? _side.Key((1, values)) : _side.Frame((1, values)), isKey));
    }

    /// <summary>Connects if need be, sends what is due, takes answers. False: the aggregator sent it away.</summary>
    internal bool Exchange()
    {
        if (_stream is null && !Connect())
        {
            return false;
        }

        foreach ((ulong sequence, byte[] message, _) in _held.Where(record => record.Sequence >= _nextToSend).ToList())
        {
            _stream!.Take(message, ingest.Now);
            if (_stream.End is not null)
            {
                CloseStream();
                return false;
            }

            _nextToSend = sequence + 1;
        }

        TakeAnswers();
        return true;
    }

    internal void TakeAnswers()
    {
        if (_stream is null)
        {
            return;
        }

        foreach (AggregatorMessage answer in ingest.Answers(_stream))
        {
            Assert.NotEqual(AggregatorMessage.BodyOneofCase.Rejected, answer.BodyCase);
            if (answer.BodyCase == AggregatorMessage.BodyOneofCase.Acknowledge)
            {
                Free(1, answer.Acknowledge.Sequence);
            }
        }
    }

    private bool Connect()
    {
        Hello hello = new()
        {
            Protocol = IngestCore.Protocol,
            SpoolEpoch = epoch,
            BootId = "boot",
            WallUnixMs = ingest.Now.UnixMs,
            FirstHeldSequence = _held.Count > 0 ? _held[0].Sequence : _side.Next,
        };
        LinkOpening opening = ingest.Core.Open(node, hello, ingest.Now);
        if (opening.Stream is null)
        {
            return false;
        }

        _stream = opening.Stream;
        Free(1, opening.Welcome!.AcknowledgedSequence);
        foreach (SequenceRange range in opening.Welcome.Held)
        {
            Acknowledged.Add(range.First, range.Last);
        }

        int missing = _held.FindIndex(record => !Acknowledged.Contains(record.Sequence));
        int start = missing < 0 ? _held.Count - 1 : missing;
        while (start > 0 && !_held[start].IsKey)
        {
            start--;
        }

        _nextToSend = start >= 0 ? _held[start].Sequence : _side.Next;
        return _schema is null || _stream.Take(_schema, ingest.Now) == IntakeOutcome.Taken;
    }

    // What is acknowledged may go, but for the frames that later ones lean on.
    private void Free(ulong first, ulong last)
    {
        Assert.True(last <= Made, "more was acknowledged than was ever made");
        Acknowledged.Add(first, last);
        int keep = _held.FindLastIndex(record => record.IsKey && record.Sequence <= Acknowledged.Prefix + 1);
        if (keep > 0)
        {
            _held.RemoveRange(0, keep);
        }
    }
}
