using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Commands;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Tests.Frames;
using NodeAgent.Agent.Tests.Spool;
using NodeAgent.Agent.Uplink;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Logs;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.V1;
using Label = NodeAgent.Contracts.Series.Label;

namespace NodeAgent.Agent.Tests.Uplink;

/// <summary>An uplink between a real spool and a <see cref="FakeNetwork"/>, on simulated time and one thread.</summary>
internal sealed class UplinkBench : IDisposable
{
    /// <summary>With <see cref="Half"/>: half of the first bound.</summary>
    internal static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(500);

    internal const int BacklogRecordsPerSecond = 4;

    private static readonly MetricDefinition Metric = MetricDefinition.Gauge("test_value", "", 1, "Test.", "n");

    private readonly CapturingLogger _logs = new();
    private readonly FrameBuilder _frames;
    private readonly SeriesTable _table = new();
    private SeriesTable? _second;

    internal UplinkBench(ICommandLane? commands = null)
    {
        Context = new UplinkContext(
            Network.Peer, new UplinkIdentity("9.8.7", "boot-1"), Time, new Half(),
            new UplinkLog(new Logger<UplinkLog>(_logs), new RepeatedEventGate(_logs, Time)));
        Client = new UplinkClient(Spool, Network, Context, new BacklogPace(BacklogRecordsPerSecond, Time), commands);
        _frames = new FrameBuilder(Spool);
        _table.Add(Metric, new Label("n", "0"));
    }

    internal SimulatedTime Time { get; } = new();

    internal FakeNetwork Network { get; } = new();

    internal MemorySpool Spool { get; } = new(77, 4 << 20);

    internal UplinkContext Context { get; }

    internal UplinkClient Client { get; }

    internal CapturingLogger Logs => _logs;

    internal string LostReason => (string)_logs.Single("UplinkLost").Parameters["Reason"]!;

    internal TimeSpan Step() => Client.Step();

    /// <summary>Time passes in pieces in which the uplink is stepped as its thread would be.</summary>
    internal void Pass(TimeSpan time)
    {
        for (TimeSpan end = Time.Elapsed + time; Time.Elapsed < end;)
        {
            TimeSpan idle = Step();
            TimeSpan left = end - Time.Elapsed;
            Time.Advance(idle == Timeout.InfiniteTimeSpan || idle > left ? left : idle);
        }

        Step();
    }

    /// <summary>Dials, and has the live lane welcomed.</summary>
    internal FakeStream Connect(ulong acknowledged = 0, params (ulong First, ulong Last)[] held)
    {
        Step();
        FakeStream stream = Network.Newest.Live;
        stream.Welcome(acknowledged, held);
        Step();
        return stream;
    }

    /// <summary>The server ends the live lane; the uplink waits, and dials again.</summary>
    internal FakeStream Reconnect(FakeStream former, TimeSpan wait)
    {
        former.End(StatusCode.Unavailable, "gone");
        Assert.Equal(wait, Step());
        int links = Network.Links.Count;
        Time.Advance(wait);
        Step();
        Assert.Equal(links + 1, Network.Links.Count);
        return Network.Newest.Live;
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

    /// <summary>Reads all that a stream has received; every frame must decode, to its own sequence.</summary>
    internal static FrameReading Read(FakeStream stream, FrameReading? reading = null)
    {
        reading ??= new FrameReading();
        while (stream.Waiting > 0)
        {
            reading.Take(stream.Receive().ToByteArray());
            Assert.All(reading.Values.Values, values => Assert.Equal(reading.Last.Sequence, values[0]));
        }

        return reading;
    }

    internal static IEnumerable<ulong> Through(ulong first, ulong last)
    {
        for (ulong sequence = first; sequence <= last; sequence++)
        {
            yield return sequence;
        }
    }

    public void Dispose()
    {
        Client.Dispose();
        _logs.AssertNoErrors();
    }
}
