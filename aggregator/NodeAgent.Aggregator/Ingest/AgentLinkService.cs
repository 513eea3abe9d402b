using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Aggregator.Identity;
using NodeAgent.Rpc;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Ingest;

/// <summary>Serves <c>AgentLink.Connect</c>: carries messages and answers between the network and a <see cref="LinkStream"/>, which decides.</summary>
/// <param name="core">Ingest.</param>
/// <param name="commits">Makes it durable.</param>
/// <param name="time">The clock.</param>
/// <param name="log">What people are told.</param>
/// <param name="draining">The server stops.</param>
/// <param name="life">How long a caller's stream lasts.</param>
internal sealed class AgentLinkService(IngestCore core, CommitLoop commits, TimeProvider time, IngestLog log, CancellationToken draining, StreamLife? life = null)
{
    /// <summary>An agent that opens a stream says hello within this.</summary>
    internal static readonly TimeSpan HelloTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<LinkStream, LinkSession> _sessions = new();

    // Nodes whose stream ended because its time was over: they come back at once, and nobody needs to read that every hour.
    private readonly ConcurrentDictionary<string, bool> _turning = new(StringComparer.Ordinal);

    internal ServerServiceDefinition Bind() =>
        ServerServiceDefinition.CreateBuilder().AddMethod(LinkMethod.Connect, ConnectAsync).Build();

    /// <summary>Sends what has become due with time; to be called about once a second.</summary>
    internal void PushQuiet()
    {
        if (core.Wal.IsFailing)
        {
            PushAll(); // they are told again and again for how long to wait
            return;
        }

        foreach ((_, LinkSession session) in _sessions)
        {
            session.PushIfQuiet();
        }
    }

    /// <summary>Sends all streams what is due, when something changed for all of them.</summary>
    internal void PushAll()
    {
        foreach ((_, LinkSession session) in _sessions)
        {
            session.Push();
        }
    }

    internal async Task ConnectAsync(
        IAsyncStreamReader<LinkMessage> requests, IServerStreamWriter<LinkAnswerBox> responses, ServerCallContext context)
    {
        CallerIdentity caller = CallerIdentity.Of(context);
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, draining);
        using CancellationTokenSource over = life?.Begin(caller) ?? new CancellationTokenSource();
        using CancellationTokenSource reading = CancellationTokenSource.CreateLinkedTokenSource(end.Token, over.Token);
        Hello hello = await ReadHelloAsync(requests, end).ConfigureAwait(false);
        LinkOpening opening = core.Open(caller.Name, hello, Moment.Of(time));
        if (opening.Stream is not { } stream)
        {
            throw new RpcException(opening.Refusal);
        }

        string node = stream.Intake.Node.Name;
        LinkSession session = new(stream, responses, commits, time, end);
        _sessions[stream] = session;
        try
        {
            await EndAllAsync(opening.Displaced, node, context.Peer).ConfigureAwait(false);
            commits.Signal();
            LinkAnswerBox welcome = new() { Answer = new LinkAnswer(0, new AggregatorMessage { Welcome = opening.Welcome }) };
            await responses.WriteAsync(welcome, end.Token).ConfigureAwait(false);
            if (!_turning.TryRemove(node, out _))
            {
                log.Connected(node, context.Peer, hello.AgentVersion, hello.DroppedRecords);
            }

            if (stream.Lane == Lane.Live)
            {
                core.Commands?.Opened(node, session);
            }

            await TakeAllAsync(session, requests, reading.Token).ConfigureAwait(false);
            log.Ended(node, context.Peer, "the agent closed the stream");
        }
        catch (OperationCanceledException) when (over.IsCancellationRequested && !end.IsCancellationRequested)
        {
            // In good order: the agent hears how much of its spool is safe, and comes back with the certificate that it then has.
            await session.SettleAsync().ConfigureAwait(false);
            _turning[node] = true;
        }
        catch (OperationCanceledException) when (stream.IsDisplaced)
        {
            throw new RpcException(stream.End!.Value);
        }
        catch (OperationCanceledException) when (draining.IsCancellationRequested)
        {
            throw Stopping();
        }
        catch (Exception e)
        {
            log.Ended(node, context.Peer, ReasonOf(e));
            throw;
        }
        finally
        {
            core.Commands?.Closed(node, session);
            stream.Close();
            _sessions.TryRemove(stream, out _);
            await session.StopAsync().ConfigureAwait(false);
        }
    }

    // A connection that breaks shows itself by the call's token or, when the reader sees it first, by its exception.
    private static string ReasonOf(Exception e) => e switch
    {
        OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled } => "connection lost",
        RpcException ended => ended.Status.Detail,
        _ => e.Message,
    };

    private static RpcException Stopping() => new(new Status(StatusCode.Unavailable, "the aggregator is stopping"));

    private async Task EndAllAsync(IReadOnlyList<LinkStream> displaced, string node, string peer)
    {
        foreach (LinkStream former in displaced)
        {
            log.Displaced(node, peer);
            if (_sessions.TryGetValue(former, out LinkSession? session))
            {
                await session.EndAsync().ConfigureAwait(false);
            }
        }
    }

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
        return hello ?? throw new RpcException(new Status(StatusCode.FailedPrecondition, "the first message must be a hello"));
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

    private async Task TakeAllAsync(LinkSession session, IAsyncStreamReader<LinkMessage> requests, CancellationToken end)
    {
        while (await requests.NextAsync(end).ConfigureAwait(false))
        {
            LinkMessage message = requests.Current;
            IntakeOutcome outcome = session.Stream.Take(message.Bytes, Moment.Of(time));
            message.Return();
            await session.AfterTakeAsync().ConfigureAwait(false);
            if (outcome == IntakeOutcome.Rejected)
            {
                log.Rejected(session.Stream.Intake.Node.Name, session.Stream.LastSequence, session.Stream.Reason);
            }

            if (session.Stream.End is { } ended)
            {
                Tell(session.Stream, ended);
                throw new RpcException(ended);
            }
        }

        await session.SettleAsync().ConfigureAwait(false);
    }

    private void Tell(LinkStream stream, Status ended)
    {
        if (ended.StatusCode == StatusCode.InvalidArgument)
        {
            log.Broken(stream.Intake.Node.Name, ended.Detail);
        }
        else if (ended.StatusCode == StatusCode.ResourceExhausted)
        {
            log.Refused(stream.Intake.Node.Name, ended.Detail);
        }
    }
}
