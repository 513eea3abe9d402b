using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Health.V1;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Server.Health;
using NodeAgent.Rpc.Tests.Proto;
using HealthClient = Grpc.Health.V1.Health.HealthClient;

namespace NodeAgent.Rpc.Tests.Hosting;

/// <summary>Handshakes cost what they may cost, and never the connections that are up.</summary>
public sealed class AdmissionTests
{
    private static readonly TestPki Pki = new("ours");
    private static readonly X509Certificate2 ServerCertificate = Pki.Issue("server", server: true);
    private static readonly X509Certificate2 ClientCertificate = Pki.Issue("node-7", server: false);

    [Fact]
    public async Task Handshake_AllTurnsAreTaken_WaitsWhileAHealthProbeIsAnswered()
    {
        using ManualResetEventSlim goOn = new(initialState: true);
        await using RpcHost host = await StartAsync(new RpcAdmissionOptions { MaxComputingHandshakes = 1 }, () => goOn.Wait(RpcHost.Patience));
        HealthClient probe = new(host.Channel(Options()));
        await probe.CheckAsync(new HealthCheckRequest());

        // One handshake stands in the validation of its certificate; others have said hello and have no turn.
        goOn.Reset();
        Task<EchoReply>[] calls = [.. Enumerable.Range(0, 4).Select(_ => host.Client(Options()).UnaryAsync(new EchoRequest()).ResponseAsync)];
        await UntilAsync(() => host.Server.Admission.WaitingHandshakes >= 3);
        Assert.Equal(4, host.Server.Admission.PendingHandshakes);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await probe.CheckAsync(new HealthCheckRequest())).Status);
        Assert.All(calls, call => Assert.False(call.IsCompleted));

        goOn.Set();
        await Task.WhenAll(calls).WaitAsync(RpcHost.Patience);
        RpcAdmission admission = host.Server.Admission;
        Assert.True(admission.Queued >= 3, $"{admission.Queued} queued");
        Assert.Equal((5, 5, 0, 0), (admission.Accepted, admission.Handshakes, admission.PendingHandshakes, admission.WaitingHandshakes));
        Assert.Equal(5, admission.OpenConnections);
    }

    [Fact]
    public async Task Handshake_SilentConnections_TakeNobodysTurn()
    {
        await using RpcHost host = await StartAsync(
            new RpcAdmissionOptions { MaxComputingHandshakes = 1, HandshakeTimeout = TimeSpan.FromMinutes(5) });
        List<RawHttp2> silent = [];
        for (int i = 0; i < 20; i++)
        {
            RawHttp2 client = await RawHttp2.ConnectAsync(host.Address);

            // Every other one has begun a record and does not end it.
            await client.Stream.WriteAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 }.AsMemory(0, i % 2 == 0 ? 6 : 0));
            silent.Add(client);
        }

        await UntilAsync(() => host.Server.Admission.PendingHandshakes == 20);
        await host.Client(Options()).UnaryAsync(new EchoRequest());
        Assert.Equal((20, 1), (host.Server.Admission.PendingHandshakes, host.Server.Admission.Handshakes));
        silent.ForEach(client => client.Dispose());
        await UntilAsync(() => host.Server.Admission.PendingHandshakes == 0);
        Assert.Equal(20, host.Server.Admission.Failed);
    }

    [Fact]
    public async Task Handshake_TooManyPending_IsClosedAtOnceAndTheConnectedGoOn()
    {
        await using RpcHost host = await StartAsync(
            new RpcAdmissionOptions { MaxPendingHandshakes = 2, HandshakeTimeout = TimeSpan.FromMinutes(5) });
        HealthClient probe = new(host.Channel(Options()));
        await probe.CheckAsync(new HealthCheckRequest());
        using RawHttp2 first = await RawHttp2.ConnectAsync(host.Address);
        using RawHttp2 second = await RawHttp2.ConnectAsync(host.Address);
        await UntilAsync(() => host.Server.Admission.PendingHandshakes == 2);

        Assert.True(await RawHttp2.IsRefusedAsync(host.Address));
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(
            async () => await host.Client(Options()).UnaryAsync(new EchoRequest()))).StatusCode);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, (await probe.CheckAsync(new HealthCheckRequest())).Status);
        Assert.True(host.Server.Admission.RefusedFull >= 2);
        Assert.Equal(2, host.Server.Admission.PendingHandshakes);

        first.Dispose();
        await UntilAsync(() => host.Server.Admission.PendingHandshakes == 1);
        await host.Client(Options()).UnaryAsync(new EchoRequest());
    }

    [Fact]
    public async Task Handshake_NotDoneInTime_IsClosedAndCounted()
    {
        await using RpcHost host = await StartAsync(new RpcAdmissionOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(300) });
        using RawHttp2 silent = await RawHttp2.ConnectAsync(host.Address);
        Assert.Null(await silent.ReadAsync());
        await UntilAsync(() => host.Server.Admission.TimedOut == 1);
        Assert.Equal((0, 0), (host.Server.Admission.Failed, host.Server.Admission.PendingHandshakes));
    }

    [Fact]
    public async Task Handshake_Storm_AllGetThroughAndCallsGoOn()
    {
        await using RpcHost host = await StartAsync(new RpcAdmissionOptions { MaxComputingHandshakes = 2 });
        Echo.EchoClient connected = host.Client(Options());
        await connected.UnaryAsync(new EchoRequest());
        Task<EchoReply[]> storm = Task.WhenAll(
            Enumerable.Range(0, 100).Select(async i => await host.Client(Options()).UnaryAsync(new EchoRequest { Number = i })));
        do
        {
            await connected.UnaryAsync(new EchoRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime + RpcHost.Patience);
        }
        while (!storm.IsCompleted);
        Assert.Equal(Enumerable.Range(0, 100).Select(i => 2 * i), (await storm).Select(reply => reply.Number));
        Assert.Equal((101, 101, 0), (host.Server.Admission.Accepted, host.Server.Admission.Handshakes, host.Server.Admission.RefusedFull));
    }

    [Fact]
    public async Task Handshake_NotTls_IsCountedAsFailed()
    {
        await using RpcHost host = await StartAsync(new RpcAdmissionOptions());
        using RawHttp2 client = await RawHttp2.ConnectAsync(host.Address);
        await client.Stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        while (await client.ReadAsync() is not null)
        {
        }

        await UntilAsync(() => host.Server.Admission.Failed == 1);
    }

    private static Task<RpcHost> StartAsync(RpcAdmissionOptions admission, Action? whileValidating = null) => RpcHost.StartAsync(
        options: new RpcServerOptions { Admission = admission },
        configure: server => server.AddHealth(new HealthService()),
        listen: (endpoint, server) => server.UseTls(endpoint, tls =>
        {
            tls.ServerCertificate = ServerCertificate;
            tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            tls.SslProtocols = SslProtocols.Tls13;
            tls.ClientCertificateValidation = (client, _, _) =>
            {
                whileValidating?.Invoke();
                return Pki.Trusts(client);
            };
        }));

    private static RpcChannelOptions Options() => new()
    {
        Tls = () => new SslClientAuthenticationOptions
        {
            ClientCertificates = [ClientCertificate],
            CertificateChainPolicy = Pki.Policy(),
            TargetHost = "server",
        },
    };

    private static async Task UntilAsync(Func<bool> condition)
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
