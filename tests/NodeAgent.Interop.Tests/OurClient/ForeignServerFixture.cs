using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Interop.Contract;
using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Rpc;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>The servers of a foreign stack: as they come, with gzip where the stack can, and with TLS that demands a client certificate.</summary>
public sealed class ForeignServerFixture<TStack> : IAsyncLifetime
    where TStack : ForeignStack, new()
{
    private readonly List<RpcChannel> _channels = [];

    internal ForeignStack Stack { get; } = new TStack();

    internal ForeignServer Plain { get; private set; } = null!;

    internal ForeignServer? Compressing { get; private set; }

    internal ForeignServer Secure { get; private set; } = null!;

    internal TestCertificates Certificates { get; } = new();

    /// <summary>One channel for all tests of the class that need nothing special, as a program would hold one.</summary>
    internal RpcChannel Channel { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        if (Stack.Missing is not null)
        {
            return;
        }

        Plain = await ForeignServer.StartAsync(Stack);
        Compressing = Stack.ServerCompresses ? await ForeignServer.StartAsync(Stack, gzip: true) : null;
        Secure = await ForeignServer.StartAsync(Stack, tls: Certificates.ServerFiles);
        Channel = Open($"http://localhost:{Plain.Port}");
    }

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        foreach (ForeignServer? server in new[] { Plain, Compressing, Secure })
        {
            if (server is not null)
            {
                await server.DisposeAsync();
            }
        }

        Certificates.Dispose();
    }

    internal RpcChannel Open(string address, RpcChannelOptions? options = null)
    {
        RpcChannel channel = RpcChannel.ForAddress(address, options);
        _channels.Add(channel);
        return channel;
    }

    internal TestService.TestServiceClient OpenSecure(X509Certificate2? certificate, bool trustAuthority = true) =>
        new(Open($"https://localhost:{Secure.Port}", new RpcChannelOptions
        {
            Tls = () => new SslClientAuthenticationOptions
            {
                ClientCertificates = certificate is null ? null : [certificate],
                CertificateChainPolicy = trustAuthority ? Certificates.Policy() : null,
            },
        }));
}
