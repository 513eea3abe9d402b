using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NodeAgent.Rpc.Server;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Client;

public sealed class TlsTests
{
    private static readonly TestPki Ours = new("ours");
    private static readonly TestPki Strangers = new("strangers");

    [Fact]
    public async Task MutualTls_KnownClient_IsIdentifiedByItsCertificate()
    {
        await using RpcHost host = await StartAsync(new RpcServerOptions
        {
            Identify = http => ValueTask.FromResult<RpcIdentity?>(
                http.Connection.ClientCertificate is { } certificate
                    ? new RpcIdentity(certificate.GetNameInfo(X509NameType.SimpleName, false))
                    : null),
        });
        EchoReply reply = await host.Client(Options(Ours, Ours.Issue("node-7", server: false))).UnaryAsync(new EchoRequest());
        Assert.Equal("node-7 x509_common_name=node-7", reply.Text);
    }

    [Fact]
    public async Task MutualTls_StrangersCertificate_IsUnavailableWithAHint()
    {
        await using RpcHost host = await StartAsync();
        RpcChannelOptions options = Options(Ours, Strangers.Issue("node-7", server: false));
        for (int i = 0; i < 20; i++)
        {
            // Which exception it is depends on the moment; the hint must not.
            RpcException e = await FailAsync(host, options);
            Assert.Equal(StatusCode.Unavailable, e.StatusCode);
            Assert.True(e.Status.Detail.Contains("client certificate", StringComparison.Ordinal), e.ToString());
        }
    }

    [Fact]
    public async Task MutualTls_NoCertificate_IsUnavailable()
    {
        await using RpcHost host = await StartAsync();
        Assert.Equal(StatusCode.Unavailable, (await FailAsync(host, Options(Ours, null))).StatusCode);
    }

    [Fact]
    public async Task Tls_ServerOfStrangers_SaysWhyItIsNotTrusted()
    {
        await using RpcHost host = await StartAsync();
        RpcException e = await FailAsync(host, Options(Strangers, Ours.Issue("node-7", server: false)));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
        Assert.Contains("certificate", e.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_ServerWithoutTls_IsUnavailable()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        using RpcChannel channel = RpcChannel.ForAddress(host.Address.Replace("http:", "https:", StringComparison.Ordinal), Options(Ours, null));
        RpcException e = await Assert.ThrowsAsync<RpcException>(
            async () => await new Echo.EchoClient(channel).UnaryAsync(new EchoRequest()));
        Assert.Equal(StatusCode.Unavailable, e.StatusCode);
    }

    [Fact]
    public async Task Credentials_OverTls_AreSent()
    {
        await using RpcHost host = await StartAsync(handler: (_, context) => Task.FromResult(new EchoReply
        {
            Text = context.RequestHeaders.GetValue("authorization") ?? "none",
        }));
        RpcChannelOptions options = new()
        {
            Tls = Options(Ours, Ours.Issue("node-7", server: false)).Tls,
            Credentials = CallCredentials.FromInterceptor((context, metadata) =>
            {
                metadata.Add("authorization", $"{context.MethodName}@{new Uri(context.ServiceUrl).AbsolutePath}");
                return Task.CompletedTask;
            }),
        };
        Assert.Equal("Unary@/nodeagent.rpc.tests.Echo", (await host.Client(options).UnaryAsync(new EchoRequest())).Text);
    }

    [Fact]
    public async Task Credentials_WithoutTls_AreNeverSent()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        RpcChannelOptions options = new() { Credentials = CallCredentials.FromInterceptor((_, _) => Task.CompletedTask) };
        RpcException e = await FailAsync(host, options);
        Assert.Equal(StatusCode.Unauthenticated, e.StatusCode);
        Assert.Empty(host.Records);
    }

    private static Task<RpcHost> StartAsync(
        RpcServerOptions? options = null, Func<EchoRequest, ServerCallContext, Task<EchoReply>>? handler = null)
    {
        X509Certificate2 certificate = Ours.Issue("server", server: true);
        EchoService service = new()
        {
            OnUnary = handler ?? ((_, context) => Task.FromResult(new EchoReply
            {
                Text = $"{context.GetIdentity()} {string.Join(",", context.AuthContext.PeerIdentity.Select(p => $"{p.Name}={p.Value}"))}",
            })),
        };
        return RpcHost.StartAsync(service, options, (listen, server) => server.UseTls(listen, tls =>
        {
            tls.ServerCertificate = certificate;
            tls.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            tls.SslProtocols = SslProtocols.Tls13;
            tls.ClientCertificateValidation = (client, _, _) => Ours.Trusts(client);
        }));
    }

    private static RpcChannelOptions Options(TestPki trusted, X509Certificate2? client) => new()
    {
        Tls = () => new SslClientAuthenticationOptions
        {
            ClientCertificates = client is null ? null : [client],
            CertificateChainPolicy = trusted.Policy(),
            TargetHost = "server",
        },
    };

    private static async Task<RpcException> FailAsync(RpcHost host, RpcChannelOptions options) =>
        await Assert.ThrowsAsync<RpcException>(async () => await host.Client(options).UnaryAsync(new EchoRequest()));
}
