using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>
/// One stream: greets, then sends the spool's records from a start on, each after the schemas it needs, and frees what is acknowledged.
/// A state machine without thread, clock or network of its own.
/// </summary>
internal sealed class UplinkLane(Lane lane, ISpool spool, SchemaBook schemas, IUplinkLaneOwner owner) : ILinkReceiver
{
    /// <summary>The contract's version that is spoken here.</summary>
    internal const uint Protocol = 1;

    private byte[] _record = new byte[4096];
    private ILinkStream? _stream;
    private ulong _next;
    private ulong _last; // nothing beyond it is sent
    private ulong _start;
    private uint _lastSchemaId;
    private bool _isSendClosed;

    internal Lane Lane => lane;

    /// <summary>The aggregator has welcomed this stream.</summary>
    internal bool IsOpen { get; private set; }

    /// <summary>The stream is over; <see cref="End"/> says how.</summary>
    internal bool IsEnded { get; private set; }

    internal Status End { get; private set; }

    /// <summary>First sequence that this lane is for.</summary>
    internal ulong Start => _start;

    /// <summary>Highest sequence sent; 0: none yet.</summary>
    internal ulong SentThrough { get; private set; }

    /// <summary>Highest sequence acknowledged on this stream; 0: none yet.</summary>
    internal ulong AcknowledgedThrough { get; private set; }

    /// <summary>Something sent is not acknowledged yet, or a greeting is not answered.</summary>
    internal bool IsOwed => !IsOpen || SentThrough > AcknowledgedThrough || _isSendClosed;

    /// <summary>Opens the stream and says hello.</summary>
    internal void Greet(ILink link, Hello hello)
    {
        hello.Lane = lane;
        hello.Protocol = Protocol;
        _stream = link.Open(this);
        if (!_stream.TrySend(new AgentMessage { Hello = hello }.ToByteArray()))
        {
            OnEnd(StatusCode.Unavailable, "the aggregator takes no messages");
        }
    }

    /// <summary>What this lane is to send, both ends included. Called when welcomed.</summary>
    internal void SendFrom(ulong first, ulong last)
    {
        _start = first;
        _next = first;
        _last = last;
    }

    /// <summary>Sends what may be sent now.</summary>
    /// <param name="atMost">Records at most.</param>
    /// <returns>How many records went.</returns>
    internal int Send(int atMost)
    {
        int sent = 0;
        while (IsOpen && !IsEnded && !_isSendClosed && sent < atMost && TryNext(out int length))
        {
            if (!TrySend(length))
            {
                break;
            }

            owner.OnSent(length);
            SentThrough = _next;
            _next++;
            sent++;
        }

        return sent;
    }

    /// <summary>Everything this lane is for has been sent.</summary>
    internal bool IsDone => IsOpen && _next > Math.Min(_last, spool.NextSequence - 1);

    /// <summary>Tells the aggregator that no more will come; it answers with its last acknowledgement.</summary>
    internal void Close()
    {
        if (!_isSendClosed && !IsEnded)
        {
            _isSendClosed = true;
            _stream!.CloseSend();
        }
    }

    public void OnMessage(ReadOnlySpan<byte> message)
    {
        if (IsOpen && LinkReply.TryReadAcknowledge(message, out ulong sequence))
        {
            Acknowledge(sequence);
            return;
        }

        AggregatorMessage parsed;
        try
        {
            parsed = AggregatorMessage.Parser.ParseFrom(message);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            // The second is what Google.Protobuf throws for a length near 2^31, where its own bound overflows.
            Abandon(StatusCode.Internal, $"the aggregator sent {message.Length} bytes that are no AggregatorMessage: {e.Message}");
            return;
        }

        Obey(parsed);
    }

    public void OnEnd(StatusCode code, string detail)
    {
        IsEnded = true;
        End = IsOpen || code != StatusCode.OK ? new Status(code, detail) : new Status(StatusCode.Unavailable, "the aggregator closed the stream before its welcome");
    }

    private void Obey(AggregatorMessage message)
    {
        switch (message.BodyCase)
        {
            case AggregatorMessage.BodyOneofCase.Welcome when !IsOpen:
                IsOpen = true;
                owner.OnWelcome(this, message.Welcome);
                break;
            case not AggregatorMessage.BodyOneofCase.Welcome when !IsOpen:
                Abandon(StatusCode.Internal, "the aggregator's first message was not a welcome");
                break;
            case AggregatorMessage.BodyOneofCase.Acknowledge:
                Acknowledge(message.Acknowledge.Sequence);
                break;
            default:
                owner.OnOther(this, message);
                break;
        }
    }

    // What was never sent here cannot be stored: an aggregator that says so would make us free what it does not have.
    private void Acknowledge(ulong sequence)
    {
        sequence = Math.Min(sequence, SentThrough);
        if (sequence >= _start && sequence > AcknowledgedThrough)
        {
            AcknowledgedThrough = sequence;
            spool.Acknowledge(_start, sequence);
        }

        owner.OnAcknowledged(this);
    }

    /// <summary>Gives the stream up.</summary>
    internal void Abandon(StatusCode code, string why)
    {
        _stream!.Cancel();
        OnEnd(code, why);
    }

    private bool TryNext(out int length)
    {
        length = 0;
        while (true)
        {
            SkipAcknowledged();
            ulong last = Math.Min(_last, spool.ReadableThrough);
            if (_next > last || !spool.TryRead(ref _next, ref _record, out length) || _next > last)
            {
                return false;
            }

            if (_next >= spool.FirstHeldSequence)
            {
                return true;
            }

            // The spool overflowed past it meanwhile: it is counted as dropped, and its schemas may be gone.
        }
    }

    // Held by the aggregator already, from an earlier stream. Where a run is acknowledged in part, its records go again: later ones build on them.
    private void SkipAcknowledged()
    {
        ulong needed = spool.FirstUnacknowledgedFrom(_next);
        if (needed > _next)
        {
            _next = Math.Max(_next, spool.StartAfter(needed - 1));
        }
    }

    private bool TrySend(int length)
    {
        uint sentSchemaId = _lastSchemaId;
        while (schemas.NextNeeded(_next, ref sentSchemaId) is { } schema)
        {
            if (!_stream!.TrySend(schema))
            {
                return false;
            }

            _lastSchemaId = sentSchemaId;
        }

        return _stream!.TrySend(_record.AsSpan(0, length));
    }
}

/// <summary>What a lane tells the session it belongs to.</summary>
internal interface IUplinkLaneOwner
{
    void OnWelcome(UplinkLane lane, Welcome welcome);

    void OnSent(int bytes);

    /// <summary>An acknowledgement came; the lane has noted what it says.</summary>
    void OnAcknowledged(UplinkLane lane);

    /// <summary>Anything rarer, also what a newer aggregator may say.</summary>
    void OnOther(UplinkLane lane, AggregatorMessage message);
}
