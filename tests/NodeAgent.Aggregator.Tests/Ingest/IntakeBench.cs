using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Testing;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>One node's intake over a real store, on simulated time that starts with the agent's.</summary>
internal sealed class IntakeBench : IDisposable
{
    internal IntakeBench(int maxSeries = 20_000)
    {
        Store = new MemoryStore(new MemoryStoreOptions { Quota = new FixedSeriesQuota(maxSeries), RetentionMs = 3_600_000 });
        Store.Maintain(AgentSide.Start);
        Fleet = new FleetRegistry(Time);
        Node = Fleet.GetOrAdd("n1");
        Intake = Reconnect();
    }

    internal SimulatedTime Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(AgentSide.Start));

    internal MemoryStore Store { get; }

    internal FleetRegistry Fleet { get; }

    internal FleetNode Node { get; }

    internal EventLedger Events { get; } = new(100);

    internal IngestCounters Counters { get; } = new();

    internal AgentSide Agent { get; } = new();

    internal RecordIntake Intake { get; private set; }

    /// <summary>A new stream of the same node.</summary>
    internal RecordIntake Reconnect() => Intake = new RecordIntake(Node, Store, Events, Counters, Time);

    internal void Taken(params byte[][] messages) =>
        Assert.All(messages, message => Assert.Equal((IntakeOutcome.Taken, ""), (Intake.Take(message), Intake.Reason)));

    internal void Rejected(byte[] message, string reason) =>
        Assert.Equal((IntakeOutcome.Rejected, reason), (Intake.Take(message), Intake.Reason));

    internal void Broken(byte[] message, string reason)
    {
        long before = Counters.BrokenStreams;
        Assert.Equal(IntakeOutcome.Broken, Intake.Take(message));
        Assert.StartsWith(reason, Intake.Reason, StringComparison.Ordinal);
        Assert.Equal(before + 1, Counters.BrokenStreams);
    }

    /// <summary>All samples of a metric as "seconds since start=value".</summary>
    internal string Samples(string metric)
    {
        SeriesSelection selection = Store.Select(Selector.Parse(metric), 0, long.MaxValue, 10);
        using ISampleReader reader = Store.OpenReader();
        using SampleBuffer buffer = new();
        List<string> samples = [];
        foreach (SeriesInfo series in selection.Series)
        {
            buffer.Clear();
            reader.Read(series, 0, long.MaxValue, buffer);
            for (int i = 0; i < buffer.Count; i++)
            {
                samples.Add($"{(buffer.Times[i] - AgentSide.Start) / 1000}={buffer.Values[i]}");
            }
        }

        return string.Join(' ', samples);
    }

    public void Dispose() => Store.Dispose();
}
