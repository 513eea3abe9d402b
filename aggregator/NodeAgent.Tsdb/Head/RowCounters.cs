namespace NodeAgent.Tsdb.Head;

/// <summary>Counters of one schema; written under its writer lock only, so that counting costs an addition.</summary>
internal sealed class RowCounters
{
    private readonly long[] _byResult = new long[(int)AppendResult.Expired + 1];

    /// <summary>Samples stored, replacements not counted again.</summary>
    public long Samples { get; set; }

    public long Of(AppendResult result) => Volatile.Read(ref _byResult[(int)result]);

    /// <summary>Rows stored in any way.</summary>
    public long Stored => Of(AppendResult.Appended) + Of(AppendResult.Duplicate) + Of(AppendResult.OutOfOrder) + Of(AppendResult.Late);

    public void Count(AppendResult result) => _byResult[(int)result]++;

    public void Add(RowCounters other)
    {
        Samples += other.Samples;
        for (int i = 0; i < _byResult.Length; i++)
        {
            _byResult[i] += other._byResult[i];
        }
    }
}
