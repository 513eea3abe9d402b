using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb;

/// <summary>The write side of a store: labels once, then only numbers.</summary>
public interface ISeriesWriter
{
    /// <summary>
    /// Resolves the columns of one sampler of one node to series, once per stream. The label <c>node</c> is added here; a schema
    /// that brings its own <c>node</c> or <c>__name__</c> is refused. The same node, sampler, interval and columns give the handle
    /// that is already there, so a reconnecting agent goes on where it was. Other columns replace the node's former schema of
    /// that sampler: its samples stay until retention drops them, then its series leave the index.
    /// </summary>
    /// <param name="node">The node's name from its certificate; not empty.</param>
    /// <param name="sampler">The schema's name ("cpu").</param>
    /// <param name="intervalMs">Expected distance of two rows; 0: unknown.</param>
    /// <param name="series">The columns in the order in which rows carry their values; at least one, none twice.</param>
    RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series);

    /// <summary>
    /// Stores one row: the values of one schema at one tick. Microseconds, no allocation (but for the compressed block that every
    /// <see cref="MemoryStoreOptions.HeadRows"/>th row leaves behind), no global lock, never waits for readers.
    /// Rows of one schema come from one thread at a time; a second writer waits for the first. Different schemas never meet.
    /// </summary>
    /// <param name="schema">From <see cref="Register"/> of the same store.</param>
    /// <param name="unixMs">The row's time, milliseconds since 1970 UTC by the agent's clock.</param>
    /// <param name="values">By column; its length is the schema's number of series.</param>
    /// <param name="present">Bit <c>i % 64</c> of word <c>i / 64</c>: column i has a value. Columns without one have no sample.</param>
    /// <exception cref="ArgumentException">The lengths are not those of the schema: a bug of the caller.</exception>
    AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present);
}
