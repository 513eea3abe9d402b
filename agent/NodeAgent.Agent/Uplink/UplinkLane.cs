using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Contracts.Sequences;
using NodeAgent.V1;

namespace NodeAgent.Agent.Uplink;

/// <summary>
/// One stream: greets, then sends the spool's records from a start on, each after the schemas it needs, and frees what is acknowledged.
/// A state machine without thread, clock or network of its own.
/// </summary>
internal sealed class UplinkLane(Lane lane, ISpool spool, SequenceSet held, IUplinkLaneOwner owner) : ILinkReceiver
{
    /// <summary>The contract's version that is spoken here.</summary>
    internal const uint Protocol = 1;

    private readonly StreamSchemas _schemas = new(spool);
    private byte[] _record = new byte[4096];
    private byte[]? _unsentSchema; // the aggregator would not take it yet
    private ILinkStream? _stream;
    private ulong _next;
    private ulong _last; // nothing beyond it is sent
    private ulong _start;
    private bool _isSendClosed;

    internal Lane Lane => lane;

    /// <summary>What it sends.</summary>
    internal ISpool Spool => spool;

    /// <summary>What the aggregator has of it, as far as it has said on this connection.</summary>
    internal SequenceSet Held => held;

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
        if (_stream is null || !_stream.TrySend(new AgentMessage { Hello = hello }.ToByteArray()))
        {
            OnEnd(StatusCode.Unavailable, "the aggregator takes no new streams");
        }
    }

    /// <summary>What this lane is to send, both ends included. Called when welcomed.</summary>
    internal void SendFrom(ulong first, ulong last)
    {
        _start = first;
        _next = first;
        _last = last;
    }

    /// <summary>What comes next is in memory, and sending it is all there is to do: no file is looked at for it.</summary>
    internal bool IsFresh => IsOpen && !IsEnded && !_isSendClosed && !held.Contains(_next) && spool.IsInMemory(_next);

    /// <summary>Sends what may be sent now.</summary>
    /// <param name="atMost">Records at most.</param>
    /// <returns>How many records went.</returns>
    internal int Send(int atMost)
    {
        int sent = 0;
        while (IsOpen && !IsEnded && !_isSendClosed && sent < atMost && TryNext(out int length))
        {
            ReadOnlySpan<byte> record = _record.AsSpan(0, length);
            SchemaNeed schemas = TrySendSchemas(record);
            if (schemas == SchemaNeed.Send || (schemas == SchemaNeed.None && !_stream!.TrySend(record)))
            {
                break;
            }

            if (schemas == SchemaNeed.None)
            {
                owner.OnSent(length);
                SentThrough = _next;
                sent++;
            }

            _next++;
        }

        return sent;
    }

    /// <summary>Sends a message that is no record of the spool. False: the aggregator takes no more for now.</summary>
    internal bool TrySendAside(ReadOnlySpan<byte> message) => IsOpen && !IsEnded && !_isSendClosed && _stream!.TrySend(message);

    /// <summary>Everything this lane is for has been sent, or is owed no more: behind the last record there may be sequences that nobody has.</summary>
    internal bool IsDone => IsOpen && (_next > Last || spool.FirstHeldSequence > Last);

    private ulong Last => Math.Min(_last, spool.NextSequence - 1);

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
            held.Add(_start, sequence);
            spool.Acknowledge(_start, sequence);
        }

        owner.OnAcknowledged(this);
    }

    /// <summary>Gives the stream up.</summary>
    internal void Abandon(StatusCode code, string why)
    {
        _stream?.Cancel();
        OnEnd(code, why);
    }

    private bool TryNext(out int length)
    {
        length = 0;
        SkipHeld();
        ulong last = Math.Min(_last, spool.ReadableThrough);
        return _next <= last && spool.TryRead(ref _next, ref _record, out length) && _next <= last;
    }

    // Whole runs that the aggregator holds from an earlier stream are passed over; of one that it holds in part all goes again, as what is
    // missing builds on what is there.
    private void SkipHeld()
    {
        ulong through = held.LastContiguousFrom(_next);
        if (through >= _next)
        {
            _next = Math.Max(_next, Math.Min(spool.StartAfter(through), through + 1));
        }
    }

    // Send: there is one that could not go yet.
    private SchemaNeed TrySendSchemas(ReadOnlySpan<byte> record)
    {
        while (true)
        {
            if (_unsentSchema is not null)
            {
                if (!_stream!.TrySend(_unsentSchema))
                {
                    return SchemaNeed.Send;
                }

                _unsentSchema = null;
            }

            SchemaNeed need = _schemas.NextMissing(_next, record, out _unsentSchema);
            if (need != SchemaNeed.Send)
            {
                return need;
            }
        }
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
