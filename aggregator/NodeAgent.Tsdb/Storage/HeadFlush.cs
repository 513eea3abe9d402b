using NodeAgent.Tsdb.Chunks;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Segments;

namespace NodeAgent.Tsdb.Storage;

/// <summary>
/// Writes the closed blocks of all heads into segments, one for each window of time that they touch (two, just after a window ended;
/// more when agents send what they could not send before). The blocks' columns are copied as they are. Runs on one thread beside
/// writers and readers, who see a block in its head until its segment is published.
/// </summary>
internal sealed class HeadFlush(SegmentStore store, long windowMs)
{
    private readonly ChunkWriter _run = new();
    private readonly TimeColumn.Builder _times = new();

    /// <summary>Returns false where the disk refused; the blocks stay where they are.</summary>
    /// <param name="schemas">All of them, also those without blocks: their open rows bound what the log may release.</param>
    /// <param name="vouchedWalId">No row with an id up to this is on its way any more.</param>
    public bool Run(IReadOnlyList<MemorySchema> schemas, ulong vouchedWalId)
    {
        if (!store.TryFinish())
        {
            return false;
        }

        List<(MemorySchema Schema, List<Block> Blocks)> taken = [];
        List<(MemorySchema Schema, SchemaState State)> states = [];
        ulong walId = vouchedWalId;
        foreach (MemorySchema schema in schemas)
        {
            List<Block> blocks = [];
            schema.CollectBlocks(blocks);
            SchemaState state = schema.StateWith(blocks, vouchedWalId, out ulong firstWalId);
            walId = Math.Min(walId, firstWalId - 1);
            if (blocks.Count > 0)
            {
                taken.Add((schema, blocks));
                states.Add((schema, state));
            }
        }

        return taken.Count == 0 || Publish(taken, states, walId);
    }

    private bool Publish(
        List<(MemorySchema Schema, List<Block> Blocks)> taken, List<(MemorySchema Schema, SchemaState State)> states, ulong walId)
    {
        List<SegmentInfo> added = [];
        foreach ((long start, List<Part> parts) in ByWindow(taken))
        {
            SegmentWriter writer = store.Create(SegmentKind.Raw, SegmentLevel.Flushed, store.NextSequence(), start, start + windowMs);
            Write(writer, parts);
            if (writer.Finish() is not { } info)
            {
                store.Fail(writer.Error!, added);
                return false;
            }

            added.Add(info);
        }

        PublicationResult result = store.Publish(new Publication
        {
            Added = added,
            States = states,
            WalId = walId,
            OnDone = () => Drop(taken, states),
        });
        return result == PublicationResult.Done;
    }

    private static void Drop(List<(MemorySchema Schema, List<Block> Blocks)> taken, List<(MemorySchema Schema, SchemaState State)> states)
    {
        for (int i = 0; i < taken.Count; i++)
        {
            taken[i].Schema.DropBlocks([.. taken[i].Blocks], states[i].State);
        }
    }

    private SortedDictionary<long, List<Part>> ByWindow(List<(MemorySchema Schema, List<Block> Blocks)> taken)
    {
        SortedDictionary<long, List<Part>> windows = [];
        foreach ((MemorySchema schema, List<Block> blocks) in taken)
        {
            foreach (Block block in blocks)
            {
                foreach ((long start, Block piece) in BlockSplitter.Split(block, schema.MemorySeries.Length, schema.Scales.ToArray(), windowMs))
                {
                    if (!windows.TryGetValue(start, out List<Part>? parts))
                    {
                        windows.Add(start, parts = []);
                    }

                    if (parts.Count == 0 || parts[^1].Schema != schema)
                    {
                        parts.Add(new Part(schema, []));
                    }

                    parts[^1].Blocks.Add(piece);
                }
            }
        }

        return windows;
    }

    private void Write(SegmentWriter writer, List<Part> parts)
    {
        // Of a series that is in several schemas, the later schema's rows are the later writes.
        List<Column> columns = [];
        for (int part = 0; part < parts.Count; part++)
        {
            MemorySeries[] series = parts[part].Schema.MemorySeries;
            for (int i = 0; i < series.Length; i++)
            {
                columns.Add(new Column(series[i].MetricId, series[i].Id, part, i));
            }

            writer.Samples += parts[part].Blocks.Sum(block => (long)block.Samples);
        }

        columns.Sort();
        foreach (Column column in columns)
        {
            _run.Clear();
            bool isEmpty = true;
            foreach (Block block in parts[column.Part].Blocks)
            {
                ReadOnlySpan<byte> chunk = block.ValueColumn(column.Index);
                isEmpty &= chunk.IsEmpty;
                _run.WriteUnsigned((ulong)chunk.Length);
                _run.Write(chunk);
            }

            if (!isEmpty)
            {
                writer.AddRun(column.MetricId, column.SeriesId, column.Part, _run.Written);
            }
        }

        for (int part = 0; part < parts.Count; part++)
        {
            WriteTimes(writer, part, parts[part].Blocks);
        }
    }

    private void WriteTimes(SegmentWriter writer, int number, List<Block> blocks)
    {
        _times.Clear();
        _run.Clear();
        foreach (Block block in blocks)
        {
            _times.Add(block.Rows, block.FirstUnixMs, block.LastUnixMs, block.TimeColumn);
            writer.NoteTimes(block.FirstUnixMs, block.LastUnixMs);
        }

        _times.WriteTo(_run);
        writer.AddRun(SegmentFormat.TimeMetric, number, number, _run.Written);
    }

    private readonly record struct Part(MemorySchema Schema, List<Block> Blocks);

    /// <summary>A series' place, in the order of the file.</summary>
    private readonly record struct Column(int MetricId, int SeriesId, int Part, int Index) : IComparable<Column>
    {
        public int CompareTo(Column other)
        {
            int order = MetricId.CompareTo(other.MetricId);
            order = order != 0 ? order : SeriesId.CompareTo(other.SeriesId);
            return order != 0 ? order : Part.CompareTo(other.Part);
        }
    }
}
