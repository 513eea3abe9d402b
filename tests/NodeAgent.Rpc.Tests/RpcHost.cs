using System.Collections.Concurrent;
using System.Net;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests;

/// <summary>A server on a free loopback port, and channels to it.</summary>
public sealed class RpcHost : IAsyncDisposable
{
    /// <summary>How long a test waits for what must happen; only a hang reaches it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly WebApplication _app;
    private readonly List<RpcChannel> _channels = [];

    private RpcHost(WebApplication app, RpcServer server, ConcurrentQueue<RpcServerCallRecord> records)
    {
        _app = app;
        Server = server;
        Records = records;
        Address = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Single();
    }

    public RpcServer Server { get; }

    public string Address { get; }

    /// <summary>What the server's hook was told, in order.</summary>
    public ConcurrentQueue<RpcServerCallRecord> Records { get; }

    public static async Task<RpcHost> StartAsync(
        EchoService? service = null,
        RpcServerOptions? options = null,
        Action<ListenOptions, RpcServer>? listen = null,
        Action<RpcServer>? configure = null,
        Action<KestrelServerOptions>? kestrel = null,
        TimeSpan? shutdownTimeout = null)
    {
        ConcurrentQueue<RpcServerCallRecord> records = new();
        options ??= new RpcServerOptions();
        RpcServer server = new(WithRecords(options, records));
        server.AddService(Echo.BindService(service ?? new EchoService()));
        configure?.Invoke(server);

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = shutdownTimeout ?? RpcKestrelDefaults.ShutdownTimeout);
        builder.WebHost.ConfigureKestrel(limits =>
        {
            server.Apply(limits);
            kestrel?.Invoke(limits);
            limits.Listen(IPAddress.Loopback, 0, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http2;
                listen?.Invoke(endpoint, server);
            });
        });
        WebApplication app = builder.Build();
        app.UseRpcServer(server);
        app.Run(context => context.Response.WriteAsync("not rpc"));
        await app.StartAsync();
        return new RpcHost(app, server, records);
    }

    public RpcChannel Channel(RpcChannelOptions? options = null)
    {
        RpcChannel channel = RpcChannel.ForAddress(Address, options);
        _channels.Add(channel);
        return channel;
    }

    public Echo.EchoClient Client(RpcChannelOptions? options = null) => new(Channel(options));

    public Task StopAsync(CancellationToken cancellationToken = default) => _app.StopAsync(cancellationToken);

    /// <summary>Waits until the server has begun to drain; a stop begins it some time after it was asked for.</summary>
    public async Task WaitForDrainAsync()
    {
        TaskCompletionSource draining = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = Server.Draining.Register(draining.SetResult);
        await draining.Task.WaitAsync(Patience);
    }

    /// <summary>Waits until the hook was told of so many calls.</summary>
    public async Task<RpcServerCallRecord[]> WaitForRecordsAsync(int count)
    {
        using CancellationTokenSource patience = new(Patience);
        while (Records.Count < count)
        {
            // The hook runs after the answer left, on a thread of its own choice.
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        return [.. Records];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RpcChannel channel in _channels)
        {
            channel.Dispose();
        }

        await _app.DisposeAsync();
        Server.Dispose();
    }

    private static RpcServerOptions WithRecords(RpcServerOptions options, ConcurrentQueue<RpcServerCallRecord> records) => new()
    {
        MaxReceiveMessageSize = options.MaxReceiveMessageSize,
        MaxSendMessageSize = options.MaxSendMessageSize,
        MaxRequestMetadataSize = options.MaxRequestMetadataSize,
        CompressResponses = options.CompressResponses,
        MessagesBetweenYields = options.MessagesBetweenYields,
        DrainGrace = options.DrainGrace,
        Admission = options.Admission,
        Identify = options.Identify,
        Authorise = options.Authorise,
        OnCallEnded = record =>
        {
            records.Enqueue(record);
            options.OnCallEnded?.Invoke(record);
        },
        TimeProvider = options.TimeProvider,
    };
}
