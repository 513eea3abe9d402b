using NodeAgent.Contracts.Frames;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>One schema of one stream: where its columns are stored and what its decoder remembers.</summary>
internal sealed class SchemaColumns(uint id, byte[] message, SchemaHandle handle, SeriesDefinition[] definitions)
{
    internal uint Id => id;

    /// <summary>The encoded <c>AgentMessage</c> that brought it: the log repeats it, so that older files can go.</summary>
    internal byte[] Message => message;

    internal SchemaHandle Handle { get; set; } = handle;

    internal SeriesDefinition[] Definitions => definitions;

    internal BlockDecoder Decoder { get; } = new(definitions);

    internal ValueScreen Screen { get; } = new(definitions);
}
