using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Samplers;

/// <summary>
/// One tier's values of all GPUs on the tick. A reading is handed on once: where the reader is slow or hangs there is no value, rather than
/// an old one again. Columns exist for what a GPU has been seen to have, and end with the GPU.
/// </summary>
internal sealed class GpuTierSampler(string name, GpuTier tier, GpuRoster roster) : ISampler
{
    private readonly int[][] _columns = new int[ReadingsHead.MostGpus][];
    private readonly ulong[][] _built = new ulong[ReadingsHead.MostGpus][];
    private readonly long[] _handedOn = new long[ReadingsHead.MostGpus];
    private readonly int[] _fixed = new int[ReadingsHead.MostGpus];
    private readonly ulong[] _tierMask = MaskOf(tier);
    private SharedReadings? _source;
    private int _version = -1;

    public string Name => name;

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        if (tier == GpuTier.Fast)
        {
            roster.Refresh();
        }

        if (roster.Count == 0)
        {
            RebuildIfChanged();
            return roster.IsStalled ? SampleStatus.Stalled : SampleStatus.NoData;
        }

        RebuildIfChanged();
        bool anyFresh = false;
        for (int gpu = 0; gpu < roster.Count; gpu++)
        {
            anyFresh |= SetValues(gpu);
        }

        return anyFresh || roster.AnsweringCount == 0 ? SampleStatus.Ok : SampleStatus.Stalled;
    }

    private unsafe bool SetValues(int gpu)
    {
        ref readonly GpuBlock block = ref roster.Block(gpu);
        long reading;
        fixed (long* readings = block.Readings)
        {
            reading = readings[(int)tier];
        }

        if (_fixed[gpu] >= 0)
        {
            SetFixed(gpu, block);
        }

        if (block.State != (int)GpuState.Answering || reading == _handedOn[gpu])
        {
            return false;
        }

        _handedOn[gpu] = reading;
        fixed (double* values = block.Values)
        {
            int[] columns = _columns[gpu];
            for (int column = 0; column < columns.Length; column++)
            {
                if (columns[column] >= 0 && block.IsPresent(column))
                {
                    Series.Set(columns[column], values[column]);
                }
            }
        }

        return true;
    }

    // Values that are the agent's own: true even where the GPU says nothing.
    private void SetFixed(int gpu, in GpuBlock block)
    {
        int column = _fixed[gpu];
        switch (tier)
        {
            case GpuTier.Fast:
                Series.Set(column, block.State);
                Series.Set(column + 1, block.RejectedValues);
                break;
            case GpuTier.Detail:
                Series.Set(column, 1);
                break;
        }
    }

    private void RebuildIfChanged()
    {
        bool changed = _version != roster.Version || !ReferenceEquals(_source, roster.Source);
        for (int gpu = 0; gpu < roster.Count && !changed; gpu++)
        {
            changed = HasNew(gpu);
        }

        if (!changed)
        {
            return;
        }

        _version = roster.Version;
        if (!ReferenceEquals(_source, roster.Source))
        {
            _source = roster.Source;
            Array.Clear(_handedOn);
            Array.Clear(_built);
        }

        if (Series.Count > 0 || roster.Count > 0)
        {
            Build();
        }
    }

    // Whether the GPU has shown a value for which there is no column.
    private unsafe bool HasNew(int gpu)
    {
        ref readonly GpuBlock block = ref roster.Block(gpu);
        fixed (ulong* present = block.Present)
        {
            for (int word = 0; word < _tierMask.Length; word++)
            {
                if ((present[word] & _tierMask[word] & ~(_built[gpu]?[word] ?? 0)) != 0)
                {
                    return true;
                }
            }
        }

        return false;
    }

    private unsafe void Build()
    {
        Series.Rebuild();
        for (int gpu = 0; gpu < roster.Count; gpu++)
        {
            ref readonly GpuBlock block = ref roster.Block(gpu);
            ReadOnlySpan<Label> own = [roster.Labels(gpu)[0], roster.Labels(gpu)[2]];
            _built[gpu] ??= new ulong[_tierMask.Length];
            _columns[gpu] ??= new int[GpuColumns.All.Count];
            AddFixed(gpu, block, own);
            fixed (ulong* present = block.Present)
            {
                for (int word = 0; word < _tierMask.Length; word++)
                {
                    _built[gpu][word] |= present[word] & _tierMask[word];
                }
            }

            for (int column = 0; column < GpuColumns.All.Count; column++)
            {
                bool has = block.State == (int)GpuState.Answering && (_built[gpu][column >> 6] & (1UL << (column & 63))) != 0;
                _columns[gpu][column] = has ? Series.Add(GpuColumns.All[column].Metric, [.. own, .. GpuColumns.All[column].Labels]) : -1;
            }
        }
    }

    private unsafe void AddFixed(int gpu, in GpuBlock block, ReadOnlySpan<Label> own)
    {
        _fixed[gpu] = -1;
        switch (tier)
        {
            case GpuTier.Fast:
                _fixed[gpu] = Series.Add(GpuMetrics.State, own);
                Series.Add(GpuMetrics.RejectedValuesTotal, own);
                break;
            case GpuTier.Detail when block.State == (int)GpuState.Answering:
                fixed (byte* model = block.Name, vbios = block.Vbios, serial = block.Serial)
                {
                    _fixed[gpu] = Series.Add(
                        GpuMetrics.Information,
                        [
                            .. own, roster.Labels(gpu)[1], new Label("driver", roster.Driver), new Label("name", Text(model, GpuBlock.NameBytes)),
                            new Label("vbios", Text(vbios, GpuBlock.TextBytes)), new Label("serial", Text(serial, GpuBlock.TextBytes)),
                        ]);
                }

                break;
        }
    }

    private static unsafe string Text(byte* text, int length) => SharedReadings.Read(new ReadOnlySpan<byte>(text, length));

    private static ulong[] MaskOf(GpuTier tier)
    {
        ulong[] mask = new ulong[GpuBlock.MostColumns / 64];
        for (int i = 0; i < GpuColumns.All.Count; i++)
        {
            mask[i >> 6] |= GpuColumns.All[i].Tier == tier ? 1UL << (i & 63) : 0;
        }

        return mask;
    }
}
