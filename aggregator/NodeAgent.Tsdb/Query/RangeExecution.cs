using System.Collections;

namespace NodeAgent.Tsdb.Query;

/// <summary>A range query under way: enumerate it once, read <see cref="Cost"/> at the end, dispose it in any case.</summary>
public sealed class RangeExecution : IEnumerable<RangeSeries>, IDisposable
{
    /// <summary>What the query has cost so far; final once the enumeration ended.</summary>
    public QueryCost Cost => throw new NotImplementedException();

    /// <inheritdoc/>
    public IEnumerator<RangeSeries> GetEnumerator() => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose() => throw new NotImplementedException();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
