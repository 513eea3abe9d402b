using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Aggregator.Query;
using NodeAgent.Rpc;
using NodeAgent.Tsdb;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>
/// Serves <c>AgentLink.Connect</c>: greets, then takes records and acknowledges them, several at a time.
/// </summary>
internal sealed class AgentLinkService(
    FleetRegistry fleet, ITimeSeriesStore store, EventLedger events, IngestCounters counters, TimeProvider time, AggregatorFacts facts, IngestLog log,
    CancellationToken draining)
{
    internal const uint Protocol = 1;

    /// <summary>An agent that opens a stream says hello within this.</summary>
    internal static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A paced agent is acknowledged this often. An acknowledgement a frame wakes both sides once more a second, a quarter of the agent's
    /// whole cost; five seconds of frames are a few kilobytes of its spool, and half of what it takes for a stalled link.
    /// </summary>
    internal static readonly TimeSpan AcknowledgeEvery = TimeSpan.FromSeconds(5);

    // Frames come at whole seconds, give or take: the fifth one after the last acknowledgement must not just miss it.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(500);

    // Bounds what an agent in full flood has to keep; at 1 Hz it is never reached.
    private const ulong MostUnacknowledged = 256;

    internal ServerServiceDefinition Bind() =>
        ServerServiceDefinition.CreateBuilder().AddMethod(LinkMethod.Connect, ConnectAsync).Build();

    internal async Task ConnectAsync(
        IAsyncStreamReader<LinkMessage> requests, IServerStreamWriter<LinkAnswerBox> responses, ServerCallContext context)
    {
        FleetNode node = fleet.GetOrAdd(CallerIdentity.Of(context).Name);
        LinkSession session = new();
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(
            context.CancellationToken, session.Displaced, draining);
        Hello hello = await ReadHelloAsync(requests, end).ConfigureAwait(false);
        if (fleet.Attach(node, session) is { } former)
        {
            log.Displaced(node.Name, context.Peer);
            await former.DisplaceAsync().ConfigureAwait(false);
        }

        try
        {
            LinkAnswerBox box = new();
            await WelcomeAsync(node, hello, responses, box, end.Token).ConfigureAwait(false);
            log.Connected(node.Name, context.Peer, hello.AgentVersion, hello.DroppedRecords);
            await TakeAllAsync(node, requests, responses, box, end.Token).ConfigureAwait(false);
            log.Ended(node.Name, context.Peer, "the agent closed the stream");
        }
        catch (OperationCanceledException) when (session.Displaced.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.AlreadyExists, $"node {node.Name} has opened a newer stream; this one ends"));
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            throw Stopping();
        }
        catch (Exception e) when (e is not RpcException)
        {
            log.Ended(node.Name, context.Peer, e is OperationCanceledException ? "connection lost" : e.Message);
            throw;
        }
        finally
        {
            fleet.Detach(node, session);
            session.End();
        }
    }

    private static RpcException Stopping() => new(new Status(StatusCode.Unavailable, "the aggregator is stopping"));

    private async Task<Hello> ReadHelloAsync(IAsyncStreamReader<LinkMessage> requests, CancellationTokenSource end)
    {
        using CancellationTokenSource tooLate = new(HelloTimeout, time);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(end.Token, tooLate.Token);
        try
        {
            if (!await requests.MoveNext(limit.Token).ConfigureAwait(false))
            {
                throw new RpcException(new Status(StatusCode.FailedPrecondition, "the stream ended before its hello"));
            }
        }
        catch (OperationCanceledException) when (tooLate.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.FailedPrecondition, $"no hello within {HelloTimeout.TotalSeconds:0} s"));
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            throw Stopping();
        }

        LinkMessage message = requests.Current;
        Hello? hello = ParseHello(message.Bytes);
        message.Return();
        return hello switch
        {
            null => throw new RpcException(new Status(StatusCode.FailedPrecondition, "the first message must be a hello")),
            { Protocol: not Protocol } => throw new RpcException(new Status(
                StatusCode.FailedPrecondition, $"protocol {hello.Protocol} is not spoken here; this aggregator speaks {Protocol}")),
            { SpoolEpoch: 0 } => throw new RpcException(new Status(StatusCode.InvalidArgument, "hello.spool_epoch must not be 0")),
            _ => hello,
        };
    }

    private static Hello? ParseHello(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return AgentMessage.Parser.ParseFrom(bytes).Hello;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or IndexOutOfRangeException)
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, $"the first message is not an AgentMessage: {e.Message}"));
        }
    }

    private async Task WelcomeAsync(
        FleetNode node, Hello hello, IServerStreamWriter<LinkAnswerBox> responses, LinkAnswerBox box, CancellationToken end)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        if (node.SpoolEpoch != hello.SpoolEpoch)
        {
            node.SpoolEpoch = hello.SpoolEpoch;
            node.LastSequence = 0;
        }

        node.AgentVersion = hello.AgentVersion;
        node.BootId = hello.BootId;
        node.DroppedRecords = hello.DroppedRecords;
        node.ClockOffsetMs = hello.WallUnixMs - now;
        box.Answer = new LinkAnswer(0, new AggregatorMessage
        {
            Welcome = new Welcome
            {
                Protocol = Protocol,
                AggregatorVersion = facts.Version,
                Node = node.Name,
                AcknowledgedSequence = node.LastSequence,
                WallUnixMs = now,
            },
        });
        await responses.WriteAsync(box, end).ConfigureAwait(false);
    }

    private async Task TakeAllAsync(
        FleetNode node, IAsyncStreamReader<LinkMessage> requests, IServerStreamWriter<LinkAnswerBox> responses, LinkAnswerBox box,
        CancellationToken end)
    {
        RecordIntake intake = new(node, store, events, counters, time);
        ulong acknowledged = node.LastSequence;
        long acknowledgedAt = 0;
        while (true)
        {
            ValueTask<bool> next = requests.NextAsync(end);
            if (IsDue(node, intake, node.LastSequence - acknowledged, acknowledgedAt, next.IsCompleted))
            {
                acknowledged = node.LastSequence;
                acknowledgedAt = time.GetTimestamp();
                await AcknowledgeAsync(acknowledged, responses, box, end).ConfigureAwait(false);
            }

            if (!await next.ConfigureAwait(false))
            {
                // The agent is leaving and waits to hear how much of its spool is safe.
                await AcknowledgeAsync(node.LastSequence, responses, box, end).ConfigureAwait(false);
                return;
            }

            LinkMessage message = requests.Current;
            IntakeOutcome outcome = intake.Take(message.Bytes);
            message.Return();
            if (outcome == IntakeOutcome.Broken)
            {
                log.Broken(node.Name, intake.Reason);
                throw new RpcException(new Status(StatusCode.InvalidArgument, intake.Reason));
            }

            if (outcome == IntakeOutcome.Rejected)
            {
                log.Rejected(node.Name, intake.LastSequence, intake.Reason);
                box.Answer = new LinkAnswer(0, new AggregatorMessage
                {
                    Rejected = new Rejected { Sequence = intake.LastSequence, Reason = intake.Reason },
                });
                await responses.SendAsync(box, end).ConfigureAwait(false);
            }
        }
    }

    // A full batch at any time. Otherwise only when the stream pauses: the first record and whatever is no frame at once; frames when the
    // interval is over, because the next one follows soon, unless this agent samples so rarely that it does not.
    private bool IsDue(FleetNode node, RecordIntake intake, ulong unacknowledged, long acknowledgedAt, bool moreIsHere)
    {
        if (unacknowledged == 0 || unacknowledged >= MostUnacknowledged)
        {
            return unacknowledged > 0;
        }

        return !moreIsHere
            && (acknowledgedAt == 0 || !intake.LastWasFrame || node.ShortestIntervalMs > AcknowledgeEvery.TotalMilliseconds / 2
                || time.GetElapsedTime(acknowledgedAt) >= AcknowledgeEvery - Slack);
    }

    private static ValueTask AcknowledgeAsync(ulong sequence, IServerStreamWriter<LinkAnswerBox> responses, LinkAnswerBox box, CancellationToken end)
    {
        box.Answer = new LinkAnswer(sequence, null);
        return responses.SendAsync(box, end);
    }
}
