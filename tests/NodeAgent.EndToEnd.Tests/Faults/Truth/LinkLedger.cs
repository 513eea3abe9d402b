using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Faults.Truth;

/// <summary>A frame seen on the wire.</summary>
/// <param name="Sequence">Its last sequence.</param>
/// <param name="StandsFor">Sequences it stands for, itself included; 1 unless it was thinned.</param>
/// <param name="WallUnixMs">The tick's wall time, which is also the value of node_time_seconds in it.</param>
/// <param name="SeenUnixMs">When it went by, by this machine's true clock; the agent's may be made to lie.</param>
internal readonly record struct SentFrame(ulong Sequence, uint StandsFor, long WallUnixMs, long SeenUnixMs);

/// <summary>By which message the aggregator promised to keep a record, and when.</summary>
internal readonly record struct Promise(string By, long UnixMs);

/// <summary>What one epoch of one agent's spool has shown.</summary>
internal sealed class EpochLedger
{
    /// <summary>Frames by their last sequence, as they first went over the wire.</summary>
    internal SortedDictionary<ulong, SentFrame> Frames { get; } = [];

    /// <summary>Sequences of events and inventories.</summary>
    internal SortedSet<ulong> Singles { get; } = [];

    /// <summary>Sequences that the aggregator has promised to keep, with how and when it did so first.</summary>
    internal Dictionary<ulong, Promise> Acknowledged { get; } = [];

    /// <summary>Records that the agent says it dropped.</summary>
    internal ulong Dropped { get; set; }

    /// <summary>Times a frame of the same sequence came with another tick: the agent used a sequence twice.</summary>
    internal int Reused { get; set; }

    /// <summary>Frames that went over the wire again.</summary>
    internal int Resent { get; set; }

    /// <summary>Records that the aggregator set aside with a reason.</summary>
    internal Dictionary<ulong, string> Rejected { get; } = [];

    /// <summary>The highest sequence seen.</summary>
    internal ulong Highest => Math.Max(Frames.Count > 0 ? Frames.Keys.Last() : 0, Singles.Count > 0 ? Singles.Max : 0);

    /// <summary>Sequences up to the highest that never went over the wire, alone or inside a thinned frame.</summary>
    internal ulong NeverSeen
    {
        get
        {
            HashSet<ulong> seen = [.. Singles];
            foreach (SentFrame frame in Frames.Values)
            {
                for (ulong back = 0; back < Math.Max(1, frame.StandsFor); back++)
                {
                    seen.Add(frame.Sequence - back);
                }
            }

            return Highest - (ulong)seen.Count - JumpedOver(seen);
        }
    }

    // An agent that cannot know which sequence its life before used last goes on at a multiple of 2^32, plus one (docs/formats/spool.md).
    // What lies between was never given to a record.
    private static ulong JumpedOver(HashSet<ulong> seen)
    {
        ulong jumped = 0;
        ulong before = 0;
        foreach (ulong sequence in seen.Count > 0 && seen.Max() > uint.MaxValue ? seen.Order() : Enumerable.Empty<ulong>())
        {
            jumped += (uint)sequence == 1 && sequence > uint.MaxValue ? sequence - 1 - before : 0;
            before = sequence;
        }

        return jumped;
    }

    /// <summary>Acknowledged frames.</summary>
    internal IEnumerable<SentFrame> AcknowledgedFrames => Frames.Values.Where(frame => Acknowledged.ContainsKey(frame.Sequence));

    /// <summary>The test took the spool away, and with it what it still owed.</summary>
    internal bool IsWrittenOff { get; set; }

    /// <summary>Frames that nobody has promised to keep yet.</summary>
    internal int OpenFrames => IsWrittenOff ? 0 : Frames.Keys.Count(sequence => !Acknowledged.ContainsKey(sequence));
}

/// <summary>
/// What a witness on the wire saw of one agent: every frame that went to the aggregator and everything the aggregator promised to have
/// kept. The other half of the truth is what the aggregator answers to queries afterwards. Thread-safe.
/// </summary>
internal sealed class LinkLedger
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ulong, EpochLedger> _epochs = [];
    private readonly List<ulong> _order = [];

    /// <summary>Acknowledgements, those in welcomes included.</summary>
    internal int Acknowledgements { get; private set; }

    internal int Welcomes { get; private set; }

    internal int Throttles { get; private set; }

    internal int Frames { get; private set; }

    /// <summary>Frames that went over the wire where nothing before them lets a reader decode them.</summary>
    internal List<string> Unreadable { get; } = [];

    /// <summary>By epoch, in the order the epochs appeared. Only read under <see cref="Read{T}"/>.</summary>
    internal IEnumerable<EpochLedger> Epochs => _order.Select(epoch => _epochs[epoch]);

    internal T Read<T>(Func<LinkLedger, T> read)
    {
        lock (_lock)
        {
            return read(this);
        }
    }

    /// <summary>Distinct frames acknowledged so far.</summary>
    internal int AcknowledgedFrames => Read(ledger => ledger.Epochs.Sum(epoch => epoch.AcknowledgedFrames.Count()));

    /// <summary>Frames on the wire that are not acknowledged.</summary>
    internal int OpenFrames => Read(ledger => ledger.Epochs.Sum(epoch => epoch.OpenFrames));

    /// <summary>The agent's spool was taken away: what it has not handed over by now will never come.</summary>
    internal void WriteOff()
    {
        lock (_lock)
        {
            foreach (EpochLedger epoch in Epochs)
            {
                epoch.IsWrittenOff = true;
            }
        }
    }

    /// <summary>A new stream of this agent.</summary>
    internal LinkStreamLedger OpenStream() => new(this);

    internal EpochLedger EpochNeedsLock(ulong epoch)
    {
        if (!_epochs.TryGetValue(epoch, out EpochLedger? ledger))
        {
            _epochs[epoch] = ledger = new EpochLedger();
            _order.Add(epoch);
        }

        return ledger;
    }

    /// <summary>One stream: what it carried, so that its acknowledgements can be understood.</summary>
    internal sealed class LinkStreamLedger(LinkLedger whole)
    {
        private readonly List<ulong> _carried = [];
        private readonly HashSet<uint> _schemas = [];
        private EpochLedger? _epoch;
        private Lane _lane;
        private ulong _last;

        internal void OnAgentMessage(byte[] bytes)
        {
            AgentMessage message = AgentMessage.Parser.ParseFrom(bytes);
            lock (whole._lock)
            {
                switch (message.BodyCase)
                {
                    case AgentMessage.BodyOneofCase.Hello:
                        _epoch = whole.EpochNeedsLock(message.Hello.SpoolEpoch);
                        _epoch.Dropped = Math.Max(_epoch.Dropped, message.Hello.DroppedRecords);
                        _lane = message.Hello.Lane;
                        break;
                    case AgentMessage.BodyOneofCase.Schema:
                        _schemas.Add(message.Schema.SchemaId);
                        break;
                    case AgentMessage.BodyOneofCase.Frame:
                        TakeFrameNeedsLock(message.Frame);
                        break;
                    case AgentMessage.BodyOneofCase.Event:
                        TakeSingleNeedsLock(message.Event.Sequence);
                        break;
                    case AgentMessage.BodyOneofCase.Inventory:
                        TakeSingleNeedsLock(message.Inventory.Sequence);
                        break;
                    default:
                        break;
                }
            }
        }

        internal void OnAggregatorMessage(byte[] bytes)
        {
            AggregatorMessage message = AggregatorMessage.Parser.ParseFrom(bytes);
            lock (whole._lock)
            {
                switch (message.BodyCase)
                {
                    case AggregatorMessage.BodyOneofCase.Welcome:
                        TakeWelcomeNeedsLock(message.Welcome);
                        break;
                    case AggregatorMessage.BodyOneofCase.Acknowledge:
                        TakeAcknowledgeNeedsLock(message.Acknowledge.Sequence);
                        break;
                    case AggregatorMessage.BodyOneofCase.Throttle:
                        whole.Throttles++;
                        break;
                    case AggregatorMessage.BodyOneofCase.Rejected when _epoch is not null:
                        _epoch.Rejected[message.Rejected.Sequence] = message.Rejected.Reason;
                        break;
                    default:
                        break;
                }
            }
        }

        private void TakeFrameNeedsLock(Frame frame)
        {
            whole.Frames++;
            _carried.Add(frame.Sequence);
            CheckReadableNeedsLock(frame);
            if (_epoch!.Frames.TryGetValue(frame.Sequence, out SentFrame former))
            {
                _epoch.Resent++;
                _epoch.Reused += former.WallUnixMs == frame.WallUnixMs ? 0 : 1;
                return;
            }

            _epoch.Frames[frame.Sequence] = new SentFrame(frame.Sequence, Math.Max(1, frame.StandsFor), frame.WallUnixMs, Fault.NowUnixMs);
        }

        // What no reader can read is lost although it was sent and may be acknowledged.
        private void CheckReadableNeedsLock(Frame frame)
        {
            ulong first = frame.Sequence - Math.Max(1, frame.StandsFor) + 1;
            if (!frame.Key && first != _last + 1)
            {
                whole.Unreadable.Add($"{_lane}: frame {frame.Sequence} comes after {_last} and is no key frame");
            }

            foreach (Block block in frame.Blocks.Where(block => !_schemas.Contains(block.SchemaId)))
            {
                whole.Unreadable.Add($"{_lane}: frame {frame.Sequence} has a block of schema {block.SchemaId}, which this stream has not carried");
            }

            _last = frame.Sequence;
        }

        private void TakeSingleNeedsLock(ulong sequence)
        {
            _last = sequence;
            _carried.Add(sequence);
            _epoch!.Singles.Add(sequence);
        }

        // "Everything up to it is stored, or will never come": what was never sent cannot be among what was promised.
        private void TakeWelcomeNeedsLock(Welcome welcome)
        {
            whole.Welcomes++;
            foreach (ulong sequence in _epoch!.Frames.Keys.TakeWhile(sequence => sequence <= welcome.AcknowledgedSequence))
            {
                _epoch.Acknowledged.TryAdd(sequence, new Promise("welcome", Fault.NowUnixMs));
            }

            foreach (SequenceRange range in welcome.Held)
            {
                for (ulong sequence = range.First; sequence <= range.Last; sequence++)
                {
                    _epoch.Acknowledged.TryAdd(sequence, new Promise("held", Fault.NowUnixMs));
                }
            }
        }

        private void TakeAcknowledgeNeedsLock(ulong upTo)
        {
            whole.Acknowledgements++;
            int count = 0;
            while (count < _carried.Count && _carried[count] <= upTo)
            {
                _epoch!.Acknowledged.TryAdd(_carried[count], new Promise("acknowledgement", Fault.NowUnixMs));
                count++;
            }

            _carried.RemoveRange(0, count);
        }
    }
}
