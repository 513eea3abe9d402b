using System.Buffers.Binary;
using NodeAgent.Agent.Frames;
using NodeAgent.V1;

namespace NodeAgent.Agent.Spool;

/// <summary>A record as it lies in a journal: its kind and marks in the journal's type byte, then perhaps a preamble, then the message.</summary>
internal readonly ref struct StoredRecord
{
    private const byte KindMask = 0x03;
    private const byte PreambleFlag = 0x10;
    private const byte HeadFlag = 0x20;
    private const byte MarkType = 0x40;
    private const int StateField = 1;
    private const int SchemaField = 2;

    private readonly byte _type;

    internal StoredRecord(byte type, ReadOnlySpan<byte> payload)
    {
        _type = type;
        int preamble = (type & PreambleFlag) != 0 && payload.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(payload) : -1;
        bool isSound = preamble >= 0 && preamble <= payload.Length - sizeof(int);
        Preamble = isSound ? payload.Slice(sizeof(int), preamble) : default;
        Message = isSound ? payload[(sizeof(int) + preamble)..] : payload;
    }

    /// <summary>No record but a <see cref="SpoolState"/>: the end of a thinned chapter, or the content of the state journal.</summary>
    internal bool IsMark => _type == MarkType;

    internal bool IsHead => (_type & HeadFlag) != 0;

    internal RecordKind Kind => (RecordKind)(_type & KindMask);

    internal ReadOnlySpan<byte> Preamble { get; }

    internal ReadOnlySpan<byte> Message { get; }

    /// <summary>The type byte of a <see cref="SpoolState"/> on its own.</summary>
    internal static byte TypeOfMark => MarkType;

    internal static byte TypeOf(RecordKind kind, bool hasPreamble, bool isHead) =>
        (byte)((byte)kind | (hasPreamble ? PreambleFlag : 0) | (isHead ? HeadFlag : 0));

    /// <summary>Writes a preamble of schemas and, at the head of a chapter, a copy of the state.</summary>
    internal static void WritePreamble(ProtoWriter preamble, SpoolState? state, List<BookedSchema> schemas, ProtoWriter scratch)
    {
        preamble.Clear();
        if (state is not null)
        {
            scratch.Clear();
            state.Write(scratch);
            preamble.WriteBytesField(StateField, scratch.Written);
        }

        foreach (BookedSchema schema in schemas)
        {
            preamble.WriteBytesField(SchemaField, schema.Message);
        }
    }

    /// <summary>Puts a preamble before a message, in a buffer that grows and is kept.</summary>
    internal static ReadOnlySpan<byte> Join(ReadOnlySpan<byte> preamble, ReadOnlySpan<byte> message, ref byte[] buffer)
    {
        int length = sizeof(int) + preamble.Length + message.Length;
        if (buffer.Length < length)
        {
            buffer = new byte[Math.Max(length, buffer.Length * 2)];
        }

        BinaryPrimitives.WriteInt32LittleEndian(buffer, preamble.Length);
        preamble.CopyTo(buffer.AsSpan(sizeof(int)));
        message.CopyTo(buffer.AsSpan(sizeof(int) + preamble.Length));
        return buffer.AsSpan(0, length);
    }

    /// <summary>The state copy in the preamble, if there is one that can be read.</summary>
    internal SpoolState? State()
    {
        ProtoReader reader = new(Preamble);
        while (reader.TryReadField())
        {
            if (reader.Field == StateField)
            {
                return SpoolState.TryRead(reader.Bytes, out _);
            }
        }

        return null;
    }

    /// <summary>Adds the preamble's schemas by id; an id that is there already means the same.</summary>
    internal void CopySchemas(Dictionary<uint, byte[]> into)
    {
        ProtoReader reader = new(Preamble);
        while (reader.TryReadField())
        {
            if (reader.Field == SchemaField)
            {
                uint id = SchemaBook.IdOf(reader.Bytes);
                if (!into.ContainsKey(id))
                {
                    into.Add(id, reader.Bytes.ToArray());
                }
            }
        }
    }
}

/// <summary>The numbers that a spool needs of a message, read without a parser's allocations.</summary>
/// <param name="Sequence">0: it is no frame, event or inventory.</param>
/// <param name="MonotonicNs">Of a frame.</param>
/// <param name="WallUnixMs">Of a frame.</param>
/// <param name="StandsFor">Sequences that it takes the place of, ending with its own; at least 1.</param>
/// <param name="Boot">Of a frame.</param>
/// <param name="Clock">Of a frame.</param>
internal readonly record struct MessageNumbers(ulong Sequence, ulong MonotonicNs, ulong WallUnixMs, uint StandsFor, uint Boot, uint Clock)
{
    /// <summary>The first sequence it stands for.</summary>
    internal ulong FirstSequence => Sequence - Math.Min(Sequence, StandsFor) + 1;

    internal static MessageNumbers Read(ReadOnlySpan<byte> message)
    {
        ProtoReader outer = new(message);
        if (!outer.TryReadField() || outer.Field is not (AgentMessage.FrameFieldNumber or AgentMessage.EventFieldNumber or AgentMessage.InventoryFieldNumber))
        {
            return default;
        }

        Span<ulong> fields = stackalloc ulong[9];
        fields.Clear();
        bool isFrame = outer.Field == AgentMessage.FrameFieldNumber;
        ProtoReader inner = new(outer.Bytes);
        while (inner.TryReadField())
        {
            if (inner.Field < fields.Length)
            {
                fields[inner.Field] = inner.Number;
            }

            if (!isFrame && inner.Field == 1)
            {
                return new MessageNumbers(fields[1], 0, 0, 1, 0, 0);
            }
        }

        return isFrame
            ? new MessageNumbers(fields[1], fields[3], fields[2], (uint)Math.Max(1, fields[7]), (uint)fields[8], (uint)fields[4])
            : default;
    }
}
