using NodeAgent.Agent.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Spool;

/// <summary>
/// Merges frames that follow each other within a window of time into one, which bears the last one's sequence and times and stands for all of
/// them. Times are those of the monotonic clock within one boot, so a clock that was set back merges nothing wrongly.
/// </summary>
/// <param name="length">Of the window; windows begin at whole multiples of it.</param>
/// <param name="targetOf">The schema for merged blocks of a source schema.</param>
internal sealed class FrameWindow(TimeSpan length, Func<SchemaShape, SchemaShape> targetOf)
{
    private readonly ulong _lengthNs = (ulong)length.TotalNanoseconds;
    private readonly Dictionary<uint, BlockWindow> _blocks = [];
    private readonly Dictionary<string, uint> _schemaOfSampler = new(StringComparer.Ordinal);
    private readonly List<BlockWindow> _frame = []; // blocks of the frame being added
    private readonly ProtoWriter _inner = new();
    private MessageNumbers _last;
    private ulong _newlyThinned;

    /// <summary>Nothing was added since the last <see cref="Take"/>.</summary>
    internal bool IsEmpty { get; private set; } = true;

    /// <summary>Source frames in the window.</summary>
    internal int Frames { get; private set; }

    /// <summary>The first sequence that the merged frame will stand for.</summary>
    internal ulong FirstSequence { get; private set; }

    internal ulong LastSequence => _last.Sequence;

    /// <summary>The schemas of the merged frame's blocks, after <see cref="Take"/>.</summary>
    internal List<SchemaShape> TargetSchemas { get; } = [];

    /// <summary>Records that only now are no more as they were, after <see cref="Take"/>.</summary>
    internal ulong ThinnedRecords { get; private set; }

    /// <summary>Samples that are no more, after <see cref="Take"/>.</summary>
    internal ulong ThinnedSamples { get; private set; }

    /// <summary>
    /// Reads a frame, so that later ones can be read. False: it builds on one that is not there, or a schema is unknown. A frame that was read may be
    /// added.
    /// </summary>
    internal bool TryDecode(ReadOnlySpan<byte> message, Func<uint, SchemaShape?> shapeOf, out ulong samples)
    {
        _frame.Clear();
        samples = 0;
        ProtoReader outer = new(message);
        if (!outer.TryReadField() || outer.Field != AgentMessage.FrameFieldNumber)
        {
            return false;
        }

        bool isWhole = true;
        ProtoReader frame = new(outer.Bytes);
        while (frame.TryReadField())
        {
            if (frame.Field != Frame.BlocksFieldNumber)
            {
                continue;
            }

            if (!FrameSamples.TryReadBlock(frame.Bytes, out uint id, out ReadOnlySpan<byte> payload) || BlockOf(id, shapeOf) is not { } block
                || !block.TryDecode(payload))
            {
                isWhole = false;
                continue;
            }

            samples += (ulong)block.DecodedSamples();
            _frame.Add(block);
        }

        return isWhole;
    }

    /// <summary>The frames between are not there: what builds on them cannot be read.</summary>
    internal void Lose()
    {
        foreach (BlockWindow block in _blocks.Values)
        {
            block.Lose();
        }
    }

    /// <summary>Whether the frame read last belongs to the window that is open; if not, take that first.</summary>
    internal bool Continues(in MessageNumbers numbers)
    {
        if (IsEmpty)
        {
            return true;
        }

        if (numbers.FirstSequence != _last.Sequence + 1 || numbers.Boot != _last.Boot || numbers.MonotonicNs / _lengthNs != _last.MonotonicNs / _lengthNs)
        {
            return false;
        }

        foreach (BlockWindow block in _frame)
        {
            // One schema a sampler in a frame: other columns begin another window.
            if (_schemaOfSampler.TryGetValue(block.Source.Sampler, out uint known) && known != block.Source.Id)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Adds the frame read last.</summary>
    internal void Add(in MessageNumbers numbers)
    {
        if (IsEmpty)
        {
            FirstSequence = numbers.FirstSequence;
        }

        uint clock = _last.Clock == (uint)ClockQuality.Stepped && !IsEmpty ? _last.Clock : numbers.Clock;
        IsEmpty = false;
        _last = numbers with { Clock = clock };
        Frames++;
        _newlyThinned += numbers.StandsFor == 1 ? 1UL : 0;
        foreach (BlockWindow block in _frame)
        {
            block.Add(numbers.StandsFor);
            _schemaOfSampler[block.Source.Sampler] = block.Source.Id;
        }
    }

    /// <summary>Writes the merged frame as an <c>AgentMessage</c> and begins the next window.</summary>
    internal void Take(bool key, ProtoWriter message)
    {
        TargetSchemas.Clear();
        ThinnedRecords = Frames > 1 ? _newlyThinned : 0;
        ThinnedSamples = 0;
        _inner.Clear();
        _inner.WriteVarintField(Frame.SequenceFieldNumber, _last.Sequence);
        _inner.WriteVarintField(Frame.WallUnixMsFieldNumber, _last.WallUnixMs);
        _inner.WriteVarintField(Frame.MonotonicNsFieldNumber, _last.MonotonicNs);
        _inner.WriteVarintField(Frame.ClockFieldNumber, _last.Clock);
        if (key)
        {
            _inner.WriteVarintField(Frame.KeyFieldNumber, 1);
        }

        // Before the blocks, so that a reader knows them before it decodes.
        ulong standsFor = _last.Sequence - FirstSequence + 1;
        if (standsFor > 1)
        {
            _inner.WriteVarintField(Frame.StandsForFieldNumber, standsFor);
        }

        if (_last.Boot > 0)
        {
            _inner.WriteVarintField(Frame.BootFieldNumber, _last.Boot);
        }

        foreach (BlockWindow block in _blocks.Values)
        {
            if (block.IsEmpty)
            {
                if (key)
                {
                    block.RestartEncoder();
                }

                continue;
            }

            ThinnedSamples += block.MergedSamples;
            TargetSchemas.Add(block.Target);
            _inner.WriteBlockField(Frame.BlocksFieldNumber, block.Target.Id, block.Take(key));
        }

        message.Clear();
        message.WriteBytesField(AgentMessage.FrameFieldNumber, _inner.Written);
        IsEmpty = true;
        Frames = 0;
        _newlyThinned = 0;
        _schemaOfSampler.Clear();
    }

    private BlockWindow? BlockOf(uint id, Func<uint, SchemaShape?> shapeOf)
    {
        if (!_blocks.TryGetValue(id, out BlockWindow? block) && shapeOf(id) is { } shape)
        {
            block = new BlockWindow(shape, targetOf(shape));
            _blocks.Add(id, block);
        }

        return block;
    }
}
