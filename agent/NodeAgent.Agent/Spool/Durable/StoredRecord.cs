using System.Buffers.Binary;
using System.IO.Compression;
using NodeAgent.Agent.Frames;

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
    private const int PackedField = 3;

    // Schemas are names over and over: packed they are a tenth. Below this they are not worth the call.
    private const int LeastPackedBytes = 512;
    private const int MaxUnpackedBytes = 16 << 20;
    private const int PackingQuality = 4;
    private const int PackingWindow = 17;

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

    /// <summary>Writes a preamble of schemas and, where wanted, a copy of the state.</summary>
    internal static void WritePreamble(ProtoWriter preamble, SpoolState? state, List<BookedSchema> schemas, ProtoWriter scratch)
    {
        preamble.Clear();
        if (state is not null)
        {
            scratch.Clear();
            state.Write(scratch);
            preamble.WriteBytesField(StateField, scratch.Written);
        }

        scratch.Clear();
        foreach (BookedSchema schema in schemas)
        {
            scratch.WriteBytesField(SchemaField, schema.Message);
        }

        if (scratch.Written.Length < LeastPackedBytes)
        {
            foreach (BookedSchema schema in schemas)
            {
                preamble.WriteBytesField(SchemaField, schema.Message);
            }

            return;
        }

        byte[] packed = new byte[sizeof(int) + BrotliEncoder.GetMaxCompressedLength(scratch.Written.Length)];
        BinaryPrimitives.WriteInt32LittleEndian(packed, scratch.Written.Length);
        if (!BrotliEncoder.TryCompress(scratch.Written, packed.AsSpan(sizeof(int)), out int length, PackingQuality, PackingWindow))
        {
            throw new InvalidOperationException($"BUG: {scratch.Written.Length} bytes do not fit packed into {packed.Length}");
        }

        preamble.WriteBytesField(PackedField, packed.AsSpan(0, sizeof(int) + length));
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
                AddSchema(reader.Bytes, into);
            }
            else if (reader.Field == PackedField)
            {
                AddPacked(reader.Bytes, into);
            }
        }
    }

    private static void AddPacked(ReadOnlySpan<byte> packed, Dictionary<uint, byte[]> into)
    {
        int length = packed.Length < sizeof(int) ? 0 : BinaryPrimitives.ReadInt32LittleEndian(packed);
        if (length is <= 0 or > MaxUnpackedBytes)
        {
            return;
        }

        byte[] schemas = new byte[length];
        if (BrotliDecoder.TryDecompress(packed[sizeof(int)..], schemas, out int written) && written == length)
        {
            ProtoReader reader = new(schemas);
            while (reader.TryReadField())
            {
                AddSchema(reader.Bytes, into);
            }
        }
    }

    private static void AddSchema(ReadOnlySpan<byte> message, Dictionary<uint, byte[]> into)
    {
        uint id = SchemaBook.IdOf(message);
        if (!into.ContainsKey(id))
        {
            into.Add(id, message.ToArray());
        }
    }
}
