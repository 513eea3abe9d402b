using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Reads an encoded <c>Frame</c> in place: the header first, then block after block. Total: bytes that are no frame give false or
/// <see cref="IsMalformed"/>, never an exception. A test compares it with the generated class.
/// </summary>
internal ref struct FrameReader
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    private ReadOnlySpan<byte> _rest;

    private FrameReader(ReadOnlySpan<byte> frame) => _rest = frame;

    internal ulong Sequence { get; private set; }

    internal long WallUnixMs { get; private set; }

    internal ulong MonotonicNs { get; private set; }

    internal ClockQuality Clock { get; private set; }

    internal bool IsKey { get; private set; }

    /// <summary>Records it stands for; 0 and 1: itself alone. Known when all blocks are read, as the fields behind the blocks are.</summary>
    internal uint StandsFor { get; private set; }

    /// <summary>Boots before it; known as <see cref="StandsFor"/> is.</summary>
    internal uint Boot { get; private set; }

    /// <summary>The bytes did not form a frame; what was read before stands.</summary>
    internal bool IsMalformed { get; private set; }

    /// <summary>
    /// Opens the frame inside an encoded <c>AgentMessage</c>. False: the message is not exactly one frame field, so the generated
    /// parser should look at it. Header fields must precede the blocks, as every serializer writes them.
    /// </summary>
    internal static bool TryOpen(ReadOnlySpan<byte> message, out FrameReader reader)
    {
        reader = default;
        if (message.IsEmpty || message[0] != ((AgentMessage.FrameFieldNumber << 3) | LengthDelimited))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = message[1..];
        if (!TryReadVarint(ref rest, out ulong length) || length != (ulong)rest.Length)
        {
            return false;
        }

        reader = new FrameReader(rest);
        reader.ReadHeader();
        return true;
    }

    /// <summary>Takes the next block. False at the end or when malformed.</summary>
    internal bool TryReadBlock(out uint schemaId, out ReadOnlySpan<byte> payload)
    {
        schemaId = 0;
        payload = default;
        while (!_rest.IsEmpty && !IsMalformed)
        {
            if (!TryReadVarint(ref _rest, out ulong tag))
            {
                IsMalformed = true;
            }
            else if (tag == ((Frame.BlocksFieldNumber << 3) | LengthDelimited))
            {
                // A block that cannot be read may also be the last: that nothing is left does not make the frame whole.
                IsMalformed = !TryReadBytes(ref _rest, out ReadOnlySpan<byte> block) || !TryReadBlockFields(block, out schemaId, out payload);
                return !IsMalformed;
            }
            else if (tag is ((Frame.StandsForFieldNumber << 3) | Varint) or ((Frame.BootFieldNumber << 3) | Varint))
            {
                IsMalformed = !TryReadVarint(ref _rest, out ulong value);
                StandsFor = tag >> 3 == Frame.StandsForFieldNumber ? (uint)value : StandsFor;
                Boot = tag >> 3 == Frame.BootFieldNumber ? (uint)value : Boot;
            }
            else
            {
                IsMalformed = !IsUnknownField(tag) || !TrySkip(ref _rest, (int)(tag & 7));
            }
        }

        return false;
    }

    // Later than every field this version knows, and no larger than a field number can be (2^29 - 1).
    private static bool IsUnknownField(ulong tag) => tag >> 3 > Frame.BlocksFieldNumber && tag <= uint.MaxValue;

    private static bool TryReadBlockFields(ReadOnlySpan<byte> block, out uint schemaId, out ReadOnlySpan<byte> payload)
    {
        schemaId = 0;
        payload = default;
        while (!block.IsEmpty)
        {
            if (!TryReadVarint(ref block, out ulong tag))
            {
                return false;
            }

            bool ok = tag switch
            {
                (Block.SchemaIdFieldNumber << 3) | Varint => TryReadUInt32(ref block, out schemaId),
                (Block.PayloadFieldNumber << 3) | LengthDelimited => TryReadBytes(ref block, out payload),
                _ => tag is >= 1 << 3 and <= uint.MaxValue && TrySkip(ref block, (int)(tag & 7)),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }

    private void ReadHeader()
    {
        while (!_rest.IsEmpty)
        {
            ReadOnlySpan<byte> beforeTag = _rest;
            if (!TryReadVarint(ref _rest, out ulong tag))
            {
                IsMalformed = true;
                return;
            }

            if (tag >> 3 >= Frame.BlocksFieldNumber)
            {
                _rest = beforeTag;
                return;
            }

            if ((tag & 7) != Varint || !TryReadVarint(ref _rest, out ulong value))
            {
                IsMalformed = true;
                return;
            }

            SetHeader((int)(tag >> 3), value);
        }
    }

    private void SetHeader(int field, ulong value)
    {
        switch (field)
        {
            case Frame.SequenceFieldNumber:
                Sequence = value;
                break;
            case Frame.WallUnixMsFieldNumber:
                WallUnixMs = (long)value;
                break;
            case Frame.MonotonicNsFieldNumber:
                MonotonicNs = value;
                break;
            case Frame.ClockFieldNumber:
                Clock = (ClockQuality)(int)value;
                break;
            case Frame.KeyFieldNumber:
                IsKey = value != 0;
                break;
            default:
                IsMalformed = true;
                break;
        }
    }

    private static bool TryReadUInt32(scoped ref ReadOnlySpan<byte> rest, out uint value)
    {
        bool ok = TryReadVarint(ref rest, out ulong wide);
        value = (uint)wide;
        return ok && wide <= uint.MaxValue;
    }

    private static bool TryReadBytes(scoped ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!TryReadVarint(ref rest, out ulong length) || length > (ulong)rest.Length)
        {
            return false;
        }

        bytes = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    private static bool TrySkip(scoped ref ReadOnlySpan<byte> rest, int wireType)
    {
        int fixedBytes = wireType switch { Fixed64 => 8, Fixed32 => 4, _ => -1 };
        if (fixedBytes > 0 && rest.Length >= fixedBytes)
        {
            rest = rest[fixedBytes..];
            return true;
        }

        return wireType switch
        {
            Varint => TryReadVarint(ref rest, out _),
            LengthDelimited => TryReadBytes(ref rest, out _),
            _ => false,
        };
    }

    private static bool TryReadVarint(scoped ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (int i = 0, shift = 0; i < rest.Length && shift < 64; i++, shift += 7)
        {
            value |= (ulong)(rest[i] & 0x7F) << shift;
            if (rest[i] < 0x80)
            {
                rest = rest[(i + 1)..];
                return true;
            }
        }

        return false;
    }
}
