using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Frames;

/// <summary>
/// The schemas that one stream has been told. An aggregator knows one schema for each sampler at a time: a stream that goes back to an
/// earlier one must be told it again. Not thread-safe; allocates only when a schema is sent.
/// </summary>
internal sealed class StreamSchemas(ISpool spool)
{
    private readonly List<(uint Id, string Sampler)> _told = [];

    /// <summary>A new stream knows nothing.</summary>
    internal void Clear() => _told.Clear();

    /// <summary>
    /// The schema that must be sent before this record, as an encoded message; it counts as sent. Call until none is left.
    /// </summary>
    /// <param name="sequence">Of the record, as <see cref="ISpool.TryRead"/> gave it.</param>
    /// <param name="record">The record.</param>
    /// <param name="schema">The message to send.</param>
    internal SchemaNeed NextMissing(ulong sequence, ReadOnlySpan<byte> record, out byte[]? schema)
    {
        schema = null;
        foreach (uint id in new FrameSchemaIds(record))
        {
            if (IsTold(id))
            {
                continue;
            }

            schema = spool.FindSchema(sequence, id);
            if (schema is null)
            {
                return SchemaNeed.RecordIsGone;
            }

            string sampler = SchemaBook.SamplerOf(schema);
            _told.RemoveAll(told => told.Sampler == sampler);
            _told.Add((id, sampler));
            return SchemaNeed.Send;
        }

        return SchemaNeed.None;
    }

    private bool IsTold(uint id)
    {
        foreach ((uint told, _) in _told)
        {
            if (told == id)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>What stands between a record and its sending.</summary>
internal enum SchemaNeed
{
    /// <summary>Nothing: send the record.</summary>
    None = 0,

    /// <summary>This schema first, then ask again.</summary>
    Send = 1,

    /// <summary>The spool let the record go meanwhile: read on.</summary>
    RecordIsGone = 2,
}
