using NodeAgent.V1;

namespace NodeAgent.Aggregator.Commands;

/// <summary>A node's live stream, for commands.</summary>
internal interface ICommandOutlet
{
    /// <summary>Sends soon; lost with the stream. From any thread.</summary>
    void Offer(AggregatorMessage message);
}

/// <summary>Where the ingest hands over what is about commands. Never blocks, and never calls back.</summary>
internal interface ICommandPost
{
    void Opened(string node, ICommandOutlet outlet);

    void Closed(string node, ICommandOutlet outlet);

    /// <summary>An actuator's report, a progress or an answer.</summary>
    void Take(string node, AgentMessage message);
}
