using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Manifest;

/// <summary>Types of the manifest's records. Stored; numbers never change meaning.</summary>
internal enum ManifestRecord : byte
{
    /// <summary>A schema: who has which series under which ids. Comes before the first edit whose segments hold rows of it.</summary>
    Schema = 1,

    /// <summary>Which segments there are from now on, and how far the files have got. One record, so it happens wholly or not at all.</summary>
    Edit = 2,

    /// <summary>
    /// What the files hold of some schemas. Comes after the edit that makes it true: without it, a replay brings rows twice, which is
    /// harmless; with it too early, it would leave them out.
    /// </summary>
    States = 3,

    /// <summary>Schemas that are gone.</summary>
    Forget = 4,

    /// <summary>Which log the ids are of from here on. What was said of ids before no longer holds.</summary>
    Log = 5,

    /// <summary>
    /// Series that are gone although a schema that is not may name them: their ids mean nothing any more, and who comes with the same labels
    /// gets another one.
    /// </summary>
    ForgetSeries = 6,
}

/// <summary>A schema as the manifest has it.</summary>
internal sealed record SchemaRecord(
    int Id, string Node, string Sampler, int IntervalMs, SeriesDefinition[] Definitions, (int Series, int Metric)[] Ids);

/// <summary>A change of the set of segments.</summary>
/// <param name="IsWhole">The set begins anew with this record.</param>
/// <param name="WalId">Every row of the log up to this id is in files.</param>
/// <param name="Added">Segments that are there from now on.</param>
/// <param name="Removed">Numbers of those that are not.</param>
/// <param name="NextIds">Ids below these were given out, though nothing may be left that has them: they are never given again.</param>
internal sealed record SegmentEdit(
    bool IsWhole, ulong WalId, IReadOnlyList<SegmentInfo> Added, IReadOnlyList<long> Removed, NextIds NextIds);

/// <summary>The next id of each kind. An id that were given twice would show one series' samples as another's.</summary>
internal readonly record struct NextIds(int Series, int Metric, int Schema, long Segment, long Sequence)
{
    public NextIds Max(NextIds other) => new(
        Math.Max(Series, other.Series), Math.Max(Metric, other.Metric), Math.Max(Schema, other.Schema),
        Math.Max(Segment, other.Segment), Math.Max(Sequence, other.Sequence));
}

/// <summary>
/// The bytes of the manifest's records; docs/formats/segment.md draws them. All numbers are LEB128 (zig-zag where they may be negative),
/// texts UTF-8 behind their length. Decoding throws <see cref="InvalidDataException"/> where the bytes make no sense.
/// </summary>
internal static class ManifestRecords
{
    public static void Write(ChunkWriter writer, MemorySchema schema)
    {
        writer.WriteUnsigned((ulong)schema.Id);
        WriteText(writer, schema.Node);
        WriteText(writer, schema.Sampler);
        writer.WriteUnsigned((ulong)schema.IntervalMs);
        writer.WriteUnsigned((ulong)schema.MemorySeries.Length);
        Dictionary<string, int> texts = new(StringComparer.Ordinal);
        for (int i = 0; i < schema.MemorySeries.Length; i++)
        {
            MemorySeries series = schema.MemorySeries[i];
            writer.WriteUnsigned((ulong)series.Id);
            writer.WriteUnsigned((ulong)series.MetricId);
            WriteRepeating(writer, texts, series.Metric);
            writer.WriteByte((byte)series.Kind);
            WriteRepeating(writer, texts, series.Unit);
            writer.WriteUnsigned(schema.Scales[i]);
            writer.WriteUnsigned((ulong)(series.LabelSpan.Length - 1)); // without the node's
            foreach (ref readonly Label label in series.LabelSpan)
            {
                if (label.Name != SeriesInfo.NodeLabel)
                {
                    WriteRepeating(writer, texts, label.Name);
                    WriteRepeating(writer, texts, label.Value);
                }
            }
        }
    }

    public static SchemaRecord ReadSchema(ReadOnlySpan<byte> bytes)
    {
        ChunkReader reader = new(bytes);
        int id = ReadInt(ref reader);
        string node = ReadText(ref reader);
        string sampler = ReadText(ref reader);
        int intervalMs = ReadInt(ref reader);
        int count = ReadCount(ref reader);
        SeriesDefinition[] definitions = new SeriesDefinition[count];
        (int, int)[] ids = new (int, int)[count];
        List<string> texts = [];
        for (int i = 0; i < count; i++)
        {
            ids[i] = (ReadInt(ref reader), ReadInt(ref reader));
            string metric = ReadRepeating(ref reader, texts);
            MetricKind kind = (MetricKind)reader.ReadByte();
            string unit = ReadRepeating(ref reader, texts);
            uint scale = checked((uint)reader.ReadUnsigned());
            Label[] labels = new Label[ReadCount(ref reader)];
            for (int k = 0; k < labels.Length; k++)
            {
                labels[k] = new Label(ReadRepeating(ref reader, texts), ReadRepeating(ref reader, texts));
            }

            definitions[i] = new SeriesDefinition(metric, kind, unit, scale, labels);
        }

        return new SchemaRecord(id, node, sampler, intervalMs, definitions, ids);
    }

    public static void Write(ChunkWriter writer, SegmentEdit edit)
    {
        writer.WriteByte(edit.IsWhole ? (byte)1 : (byte)0);
        writer.WriteUnsigned(edit.WalId);
        writer.WriteUnsigned((ulong)edit.NextIds.Series);
        writer.WriteUnsigned((ulong)edit.NextIds.Metric);
        writer.WriteUnsigned((ulong)edit.NextIds.Schema);
        writer.WriteUnsigned((ulong)edit.NextIds.Segment);
        writer.WriteUnsigned((ulong)edit.NextIds.Sequence);
        writer.WriteUnsigned((ulong)edit.Added.Count);
        foreach (SegmentInfo segment in edit.Added)
        {
            writer.WriteUnsigned((ulong)segment.Number);
            writer.WriteByte((byte)segment.Kind);
            writer.WriteByte((byte)segment.Level);
            writer.WriteUnsigned((ulong)segment.Sequence);
            writer.WriteSigned(segment.WindowStartUnixMs);
            writer.WriteSigned(segment.WindowEndUnixMs);
            writer.WriteSigned(segment.FirstUnixMs);
            writer.WriteSigned(segment.LastUnixMs);
            writer.WriteUnsigned((ulong)segment.Samples);
            writer.WriteUnsigned((ulong)segment.Length);
            writer.WriteUInt32(segment.Checksum);
        }

        writer.WriteUnsigned((ulong)edit.Removed.Count);
        foreach (long number in edit.Removed)
        {
            writer.WriteUnsigned((ulong)number);
        }
    }

    public static SegmentEdit ReadEdit(ReadOnlySpan<byte> bytes)
    {
        ChunkReader reader = new(bytes);
        bool isWhole = reader.ReadByte() != 0;
        ulong walId = reader.ReadUnsigned();
        NextIds nextIds = new(
            ReadInt(ref reader), ReadInt(ref reader), ReadInt(ref reader), (long)reader.ReadUnsigned(), (long)reader.ReadUnsigned());
        SegmentInfo[] added = new SegmentInfo[ReadCount(ref reader)];
        for (int i = 0; i < added.Length; i++)
        {
            added[i] = new SegmentInfo(
                (long)reader.ReadUnsigned(), (SegmentKind)reader.ReadByte(), (SegmentLevel)reader.ReadByte(), (long)reader.ReadUnsigned(),
                reader.ReadSigned(), reader.ReadSigned(), reader.ReadSigned(), reader.ReadSigned(),
                (long)reader.ReadUnsigned(), (long)reader.ReadUnsigned(), reader.ReadUInt32());
        }

        long[] removed = new long[ReadCount(ref reader)];
        for (int i = 0; i < removed.Length; i++)
        {
            removed[i] = (long)reader.ReadUnsigned();
        }

        return new SegmentEdit(isWhole, walId, added, removed, nextIds);
    }

    public static void Write(ChunkWriter writer, int schemaId, SchemaState state)
    {
        writer.WriteUnsigned((ulong)schemaId);
        writer.WriteSigned(state.FirstUnixMs);
        writer.WriteSigned(state.LastUnixMs);
        writer.WriteUnsigned(state.DurableWalId);
        writer.WriteSigned(state.RegisteredUnixMs);
    }

    /// <summary>Reads the states of a record one by one; false at its end.</summary>
    public static bool TryReadState(ref ChunkReader reader, out int schemaId, out SchemaState state)
    {
        schemaId = 0;
        state = SchemaState.Empty;
        if (reader.IsEmpty)
        {
            return false;
        }

        schemaId = ReadInt(ref reader);
        state = new SchemaState
        {
            FirstUnixMs = reader.ReadSigned(),
            LastUnixMs = reader.ReadSigned(),
            DurableWalId = reader.ReadUnsigned(),
            RegisteredUnixMs = reader.ReadSigned(),
        };
        return true;
    }

    public static int ReadInt(ref ChunkReader reader)
    {
        ulong value = reader.ReadUnsigned();
        return value <= int.MaxValue ? (int)value : throw new InvalidDataException($"A number of the manifest is {value}.");
    }

    /// <summary>A count is never larger than the bytes that are left: each element has at least one.</summary>
    private static int ReadCount(ref ChunkReader reader)
    {
        int count = ReadInt(ref reader);
        return count <= reader.Rest.Length ? count : throw new InvalidDataException($"A record of the manifest claims {count} elements.");
    }

    private static void WriteText(ChunkWriter writer, string text)
    {
        int bytes = Encoding.UTF8.GetByteCount(text);
        writer.WriteUnsigned((ulong)bytes);
        Encoding.UTF8.GetBytes(text, writer.Take(bytes));
    }

    private static string ReadText(ref ChunkReader reader) => Encoding.UTF8.GetString(reader.Take(ReadCount(ref reader)));

    /// <summary>A text that the record has had is its number; a new one is 0 and the text.</summary>
    private static void WriteRepeating(ChunkWriter writer, Dictionary<string, int> texts, string text)
    {
        if (texts.TryGetValue(text, out int number))
        {
            writer.WriteUnsigned((ulong)number);
            return;
        }

        texts.Add(text, texts.Count + 1);
        writer.WriteByte(0);
        WriteText(writer, text);
    }

    private static string ReadRepeating(ref ChunkReader reader, List<string> texts)
    {
        int number = ReadInt(ref reader);
        if (number == 0)
        {
            texts.Add(ReadText(ref reader));
            number = texts.Count;
        }

        return number <= texts.Count ? texts[number - 1] : throw new InvalidDataException("A record of the manifest refers to a text that it has not.");
    }
}
