using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Tests.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests;

/// <summary>
/// A program that has root on one node, its certificate, and bad intentions, against an aggregator and an honest neighbour. It may harm
/// what is its own; the neighbour's series, events, stream and name stay what they are, and what it says stays text.
/// </summary>
public sealed class HostileAgentTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] Payloads =
    [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "+1-1", "'; drop table nodes; --", "${jndi:ldap://x/a}", "../../../etc/passwd",
        "{{7*7}}", "%n%s%x",
    ];

    // Text that moves a cursor, changes a title, or makes one line of a log two.
    private static readonly string[] Controls = ["\e[2J\e[31mroot\e[0m", "\e]0;title\a", "a\r\nlevel=error event=Forged", "a\0b", "\u009b31m"];

    [Fact]
    public async Task HostileAgent_DoesItsWorst_AndItsNeighbourIsAsBefore()
    {
        await using EndToEndHost host = await EndToEndHost.StartAsync();
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> victim = host.Connect("victim");
        AgentSide honest = new();
        await SendAsync(victim, AgentSide.Hello());
        await NextAsync(victim);
        await SendAsync(victim, honest.Schema(1, "s", "temp"));
        await SendAsync(victim, honest.Key((1, [20.5])));
        await SendAsync(victim, honest.Event("oom_kill"));
        while ((await NextAsync(victim)).Acknowledge?.Sequence is not 2)
        {
        }

        await ClaimAnothersNameAsync(host);
        await SendPayloadsAsync(host);
        await ForgeEventsAsync(host);
        await FloodAsync(host);
        await BreakTheContractAsync(host);

        // The neighbour goes on, on the stream that it had.
        await SendAsync(victim, honest.Frame((1, [21.5])));
        await SendAsync(victim, honest.Event("xid"));
        while ((await NextAsync(victim)).Acknowledge?.Sequence is not 4)
        {
        }

        V1.Query.QueryClient query = host.Query();
        QueryResponse answer = await query.InstantAsync(
            new InstantRequest { Query = new QueryInput { Expression = "{node=\"victim\"}" }, AtUnixMs = AgentSide.Start + 3_000 }, deadline: Deadline());
        Assert.Equal(21.5, Assert.Single(answer.Results).Value);
        List<EventRecord> events = await EventsAsync(query);
        Assert.Equal(["oom_kill", "xid"], events.Where(one => one.Node == "victim").Select(one => one.Event.Kind).Order()); // the flood pushed out its own
        Assert.All(events.Where(one => one.Node != "victim"), one => Assert.Equal("mallory", one.Node));
        ListNodesResponse nodes = await query.ListNodesAsync(new ListNodesRequest(), deadline: Deadline());
        Assert.Equal(["mallory", "victim"], nodes.Nodes.Select(node => node.Name).Order());
        Assert.Equal(NodeState.Live, nodes.Nodes.Single(node => node.Name == "victim").State);
        Assert.DoesNotContain(host.Logs.Events, one => one.Level >= Microsoft.Extensions.Logging.LogLevel.Error);
    }

    // In its messages, in its labels: nothing there says whose they are.
    private static async Task ClaimAnothersNameAsync(EndToEndHost host)
    {
        foreach (V1.Label label in new V1.Label[] { new() { Name = "node", Value = "victim" }, new() { Name = "__name__", Value = "temp" }, new() { Name = "device", Value = "d" } })
        {
            using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = await BeginAsync(host, 11);
            AgentSide agent = new();
            Schema schema = new() { SchemaId = 1, Sampler = "s", IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = "temp", Kind = MetricKind.Gauge, Labels = { label } } } };
            await TrySendAsync(call, agent.Schema(schema));
            await TrySendAsync(call, agent.Key((1, [666])));
            await EndAsync(call);
        }
    }

    // Some are good label values, some are not; none may be more than text.
    private static async Task SendPayloadsAsync(EndToEndHost host)
    {
        foreach (string payload in Payloads.Concat(Controls))
        {
            using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = await BeginAsync(host, 12);
            AgentSide agent = new();
            foreach (Schema schema in new Schema[]
            {
                new() { SchemaId = 1, Sampler = "s", IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = "m", Kind = MetricKind.Gauge, Labels = { new V1.Label { Name = "device", Value = payload } } } } },
                new() { SchemaId = 2, Sampler = payload, IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = "m", Kind = MetricKind.Gauge } } },
                new() { SchemaId = 3, Sampler = "s3", IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = payload, Kind = MetricKind.Gauge } } },
                new() { SchemaId = 4, Sampler = "s4", IntervalMs = 1000, Series = { new SeriesDescriptor { Metric = "m", Kind = MetricKind.Gauge, Labels = { new V1.Label { Name = payload, Value = "v" } } } } },
            })
            {
                await TrySendAsync(call, new AgentMessage { Schema = schema }.ToByteArray());
            }

            await EndAsync(call);
        }

        List<string> texts = [];
        using AsyncServerStreamingCall<ListSeriesResponse> series = host.Query().ListSeries(new ListSeriesRequest(), deadline: Deadline());
        while (await series.ResponseStream.MoveNext(CancellationToken.None))
        {
            texts.AddRange(series.ResponseStream.Current.Series.SelectMany(one => one.Labels.SelectMany(label => new[] { label.Name, label.Value }).Append(one.Metric)));
        }

        Assert.All(texts, text => Assert.DoesNotContain(text, char.IsControl)); // they were made visible
    }

    // Of another node, of another boot, out of the past and of the future, with text that is no kind.
    private static async Task ForgeEventsAsync(EndToEndHost host)
    {
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = await BeginAsync(host, 13);
        ulong sequence = 1;
        foreach (string payload in Payloads.Concat(Controls))
        {
            await TrySendAsync(call, new AgentMessage
            {
                Event = new Event
                {
                    Sequence = sequence++, Kind = "xid", WallUnixMs = AgentSide.Start, Severity = Severity.Critical, Message = $"node=victim {payload}", Attributes = { new V1.Label { Name = "node", Value = "victim" }, new V1.Label { Name = payload, Value = payload } },
                },
            }.ToByteArray());
        }

        foreach (long wall in new[] { 0, long.MinValue, long.MaxValue, AgentSide.Start * 2 })
        {
            await TrySendAsync(call, new AgentMessage { Event = new Event { Sequence = sequence++, Kind = "xid", WallUnixMs = wall, Severity = (Severity)99 } }.ToByteArray());
        }

        await EndAsync(call);
    }

    // As many series, samplers and records as it can.
    private static async Task FloodAsync(EndToEndHost host)
    {
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = await BeginAsync(host, 14);
        for (uint id = 1; id <= 300; id++)
        {
            Schema bomb = new() { SchemaId = id, Sampler = $"s{id}", IntervalMs = 1000 };
            bomb.Series.Add(Enumerable.Range(0, 500).Select(i => new SeriesDescriptor { Metric = $"bomb{id}_{i}", Kind = MetricKind.Gauge }));
            if (!await TrySendAsync(call, new AgentMessage { Schema = bomb }.ToByteArray()))
            {
                break;
            }
        }

        await EndAsync(call);
        using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> records = await BeginAsync(host, 15);
        for (ulong sequence = 1; sequence <= 50_000; sequence++)
        {
            if (!await TrySendAsync(records, new AgentMessage { Event = new Event { Sequence = sequence, Kind = "link", WallUnixMs = AgentSide.Start, Severity = Severity.Info } }.ToByteArray()))
            {
                break;
            }
        }

        await EndAsync(records);
    }

    private static async Task BreakTheContractAsync(EndToEndHost host)
    {
        foreach (byte[] message in new byte[][] { [], [0xff], [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], new byte[1 << 20], new AgentMessage { Frame = new Frame { Sequence = ulong.MaxValue } }.ToByteArray() })
        {
            using AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = await BeginAsync(host, 16);
            await TrySendAsync(call, message);
            await EndAsync(call);
        }
    }

    private static async Task<AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage>> BeginAsync(EndToEndHost host, ulong epoch)
    {
        AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call = host.Connect("mallory");
        await SendAsync(call, AgentSide.Hello(epoch: epoch));
        Assert.Equal("mallory", (await NextAsync(call)).Welcome.Node);
        return call;
    }

    private static async Task<List<EventRecord>> EventsAsync(V1.Query.QueryClient query)
    {
        List<EventRecord> all = [];
        using AsyncServerStreamingCall<ListEventsResponse> events = query.ListEvents(new ListEventsRequest { Limit = 100_000 }, deadline: Deadline());
        while (await events.ResponseStream.MoveNext(CancellationToken.None))
        {
            all.Add(new EventRecord(events.ResponseStream.Current.Node, events.ResponseStream.Current.Event));
        }

        return all;
    }

    // False: the aggregator has had enough of it.
    private static async Task<bool> TrySendAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call, byte[] message)
    {
        try
        {
            await call.RequestStream.WriteAsync(AgentMessage.Parser.ParseFrom(message)).WaitAsync(Patience);
            return true;
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            return false;
        }
        catch (InvalidProtocolBufferException)
        {
            return true; // cannot be said in this client's words; the message tests below the wire have it
        }
    }

    private static async Task EndAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call)
    {
        try
        {
            await call.RequestStream.CompleteAsync().WaitAsync(Patience);
            while (await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience))
            {
            }
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException)
        {
            return; // refused, which is what it deserves
        }
    }

    private static Task SendAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call, byte[] message) =>
        call.RequestStream.WriteAsync(AgentMessage.Parser.ParseFrom(message)).WaitAsync(Patience);

    private static async Task<AggregatorMessage> NextAsync(AsyncDuplexStreamingCall<AgentMessage, AggregatorMessage> call)
    {
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(Patience));
        return call.ResponseStream.Current;
    }

    private static DateTime Deadline() => TimeProvider.System.GetUtcNow().UtcDateTime + Patience;

    private sealed record EventRecord(string Node, Event Event);
}
