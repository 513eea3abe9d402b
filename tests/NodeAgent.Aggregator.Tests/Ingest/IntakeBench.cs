using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Testing;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>One node's stream into a real core, on simulated time that starts with the agent's.</summary>
internal sealed class IntakeBench : IDisposable
{
    private readonly TestIngest _ingest;

    internal IntakeBench(int maxSeries = 20_000)
    {
        _ingest = new TestIngest(maxSeries: maxSeries);
        Store.Maintain(AgentSide.Start);
        Stream = _ingest.Open();
    }

    internal TestIngest Ingest => _ingest;

    internal SimulatedTime Time => _ingest.Time;

    internal MemoryStore Store => _ingest.Store;

    internal FleetRegistry Fleet => _ingest.Fleet;

    internal FleetNode Node => Fleet.Find("n1")!;

    internal EventLedger Events => _ingest.Events;

    internal IngestCounters Counters => _ingest.Counters;

    internal AgentSide Agent { get; } = new();

    internal LinkStream Stream { get; private set; }

    /// <summary>A new stream of the same node.</summary>
    internal LinkStream Reconnect() => Stream = _ingest.Open();

    internal IntakeOutcome Take(byte[] message) => Stream.Take(message, _ingest.Now);

    internal void Taken(params byte[][] messages) =>
        Assert.All(messages, message => Assert.Equal((IntakeOutcome.Taken, ""), (Take(message), Stream.Reason)));

    internal void Rejected(byte[] message, string reason) =>
        Assert.Equal((IntakeOutcome.Rejected, reason), (Take(message), Stream.Reason));

    /// <summary>The message ends the stream; a new one is opened.</summary>
    internal void Broken(byte[] message, string reason)
    {
        long before = Counters.BrokenStreams;
        Assert.Equal(IntakeOutcome.Broken, Take(message));
        Assert.StartsWith(reason, Stream.Reason, StringComparison.Ordinal);
        Assert.Equal(before + 1, Counters.BrokenStreams);
        Assert.NotNull(Stream.End);
        Reconnect();
    }

    internal string Samples(string metric) => _ingest.Samples(metric);

    public void Dispose() => _ingest.Dispose();
}
