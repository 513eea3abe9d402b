using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using NodeAgent.Rpc.Server;
using NodeAgent.V1;

namespace NodeAgent.EndToEnd.Tests.Commands;

/// <summary>
/// Somebody who has taken over the aggregator: agents connect to it and take what it says. It holds every envelope that was ever sent, keys
/// of its own and no operator's.
/// </summary>
internal sealed class HostileAggregator : AgentLink.AgentLinkBase, IAsyncDisposable
{
    private readonly Channel<AggregatorMessage> _toSend = Channel.CreateUnbounded<AggregatorMessage>();
    private readonly RpcServer _server;
    private readonly WebApplication _app;

    private HostileAggregator()
    {
        _server = new RpcServer(new RpcServerOptions());
        _server.AddService(AgentLink.BindService(this));
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            _server.Apply(kestrel);
            kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        _app.UseRpcServer(_server);
    }

    internal string Address => _app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();

    internal TaskCompletionSource<ActuatorReport> Report { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ConcurrentDictionary<ByteString, CommandAnswer> Answers { get; } = new();

    internal int Frames;

    internal static async Task<HostileAggregator> StartAsync()
    {
        HostileAggregator aggregator = new();
        await aggregator._app.StartAsync();
        return aggregator;
    }

    /// <summary>Says something to the agent.</summary>
    internal void Send(AggregatorMessage message) => _toSend.Writer.TryWrite(message);

    /// <summary>Delivers bytes as a command, and waits for what the agent answers.</summary>
    internal async Task<CommandAnswer> DeliverAsync(ByteString envelope)
    {
        ByteString id = ByteString.CopyFrom(Guid.NewGuid().ToByteArray());
        Send(new AggregatorMessage { Command = new CommandDelivery { CommandId = id, Envelope = envelope } });
        return await Waiting.ForAsync("an answer", TimeSpan.FromSeconds(60), () => Task.FromResult(Answers.GetValueOrDefault(id)));
    }

    public override async Task Connect(IAsyncStreamReader<AgentMessage> requestStream, IServerStreamWriter<AggregatorMessage> responseStream, ServerCallContext context)
    {
        await requestStream.MoveNext(context.CancellationToken);
        await responseStream.WriteAsync(new AggregatorMessage { Welcome = new Welcome { Protocol = 1, Node = "victim", AggregatorVersion = "evil" } }, context.CancellationToken);
        Task sending = SendAsync(responseStream, context.CancellationToken);
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            AgentMessage message = requestStream.Current;
            if (message.Actuator is { } report) Report.TrySetResult(report);
            else if (message.CommandAnswer is { } answer) Answers[answer.CommandId] = answer;
            else if (message.Frame is not null) Interlocked.Increment(ref Frames);
        }

        await sending;
    }

    private async Task SendAsync(IServerStreamWriter<AggregatorMessage> responses, CancellationToken end)
    {
        await foreach (AggregatorMessage message in _toSend.Reader.ReadAllAsync(end)) await responses.WriteAsync(message, end);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _server.Dispose();
    }
}
