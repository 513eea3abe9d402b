using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Agent.Uplink;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Logs;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.V1;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Uplink;

/// <summary>An uplink between a real spool and a <see cref="FakeAggregator"/>, on simulated time.</summary>
internal sealed class UplinkBench : IAsyncDisposable
{
    private static readonly MetricDefinition Metric = MetricDefinition.Gauge("test_value", "", 1, "Test.", "n");

    private readonly CancellationTokenSource _stop = new();
    private readonly CapturingLogger _logs = new();
    private readonly FrameBuilder _frames;
    private readonly SeriesTable _table = new();
    private SeriesTable? _second;

    internal UplinkBench()
    {
        Client = new UplinkClient(
            Spool, new UplinkTransport(Aggregator, "agg:1", new Metadata { { "who", "me" } }), new UplinkIdentity("9.8.7", "boot-1"), Time,
            new Half(), new UplinkLog(new Logger<UplinkLog>(_logs), new RepeatedEventGate(_logs, Time)));
        _frames = new FrameBuilder(Spool);
        _table.Add(Metric, new Label("n", "0"));
    }

    internal SimulatedTime Time { get; } = new();

    internal FakeAggregator Aggregator { get; } = new();

    internal MemorySpool Spool { get; } = new(77, 1 << 20);

    internal UplinkClient Client { get; }

    internal CapturingLogger Logs => _logs;

    internal Task Running { get; private set; } = Task.CompletedTask;

    internal void Start() => Running = Task.Run(() => Client.RunAsync(_stop.Token));

    internal Task StopAsync()
    {
        _stop.Cancel();
        return Running.WaitAsync(FakeAggregator.Patience);
    }

    /// <summary>One frame whose only value is its own sequence.</summary>
    internal void Tick(int count = 1)
    {
        for (int i = 0; i < count; i++)
        {
            _table.ClearValues();
            _table.Set(0, Spool.NextSequence);
            _frames.Begin(1, 1, 0);
            _frames.Add("s", 1000, _table);
            if (_second is not null)
            {
                _second.ClearValues();
                _second.Set(0, Spool.NextSequence);
                _frames.Add("t", 1000, _second);
            }

            _frames.End();
        }
    }

    /// <summary>From the next frame on there is another block.</summary>
    internal void AddSampler()
    {
        _second = new SeriesTable();
        _second.Add(Metric, new Label("n", "second"));
    }

    /// <summary>From the next frame on there is another column.</summary>
    internal void ChangeColumns()
    {
        _table.Add(Metric, new Label("n", $"{_table.Count}"));
        _second?.Add(Metric, new Label("n", $"second {_second.Count}"));
    }

    internal void Happen(string message) => Spool.Append(
        new AgentMessage { Event = new Event { Sequence = Spool.NextSequence, Kind = "x", Message = message } }.ToByteArray(), RecordKind.Single);

    /// <summary>Reads frames from a stream until one has this sequence; every one must decode, to its own sequence.</summary>
    internal static async Task<FrameReading> ReadUntilAsync(FakeStream stream, ulong sequence, FrameReading? reading = null)
    {
        reading ??= new FrameReading();
        while (reading.Sequences.Count == 0 || reading.Sequences[^1] < sequence)
        {
            reading.Take((await stream.ReceiveAsync()).ToByteArray());
            Assert.All(reading.Values.Values, values => Assert.Equal(reading.Last.Sequence, values[0]));
        }

        return reading;
    }

    /// <summary>Lets other threads work until something holds; only a hang reaches the limit.</summary>
    internal static async Task UntilAsync(Func<bool> holds, string what)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < FakeAggregator.Patience, $"never happened: {what}");
            await Task.Yield();
        }
    }

    internal Task UntilWaitingAsync(TimeSpan wait) => UntilAsync(() => Time.UntilNextTimer == wait, $"a wait of {wait}");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _logs.AssertNoErrors();
    }
}
