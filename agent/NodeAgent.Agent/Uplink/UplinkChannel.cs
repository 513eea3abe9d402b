using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Agent.Configuration;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc;
using NodeAgent.Rpc.Security;

namespace NodeAgent.Agent.Uplink;

/// <summary>The channel to the aggregator as the configuration wants it.</summary>
internal sealed class UplinkChannel : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    private readonly RpcChannel _channel;

    private UplinkChannel(RpcChannel channel, Metadata? headers)
    {
        _channel = channel;
        Transport = new UplinkTransport(channel.CreateCallInvoker(), channel.Address.Authority, headers);
    }

    internal UplinkTransport Transport { get; }

    /// <summary>Loads the certificates and makes the channel; does not connect. Null: <paramref name="error"/> names the file.</summary>
    internal static UplinkChannel? TryCreate(UplinkSettings settings, out string error)
    {
        error = "";
        Uri address = settings.Aggregator!;
        if (settings.PlaintextNode is { } node)
        {
            string identity = new FleetIdentity("local", FleetRole.Agent, node).ToUri();
            return new UplinkChannel(RpcChannel.ForAddress(address, Options(null)), new Metadata { { FleetIdentity.PlaintextHeader, identity } });
        }

        if (MutualTls.TryLoadAuthorities(settings.CaFile!, out error) is not { } authorities
            || MutualTls.TryLoadIdentity(settings.CertificateFile!, settings.KeyFile!, out error) is not { } own)
        {
            return null;
        }

        string serverName = settings.ServerName ?? address.Host;
        return new UplinkChannel(RpcChannel.ForAddress(address, Options(() => MutualTls.ClientOptions(serverName, authorities, own))), headers: null);
    }

    public void Dispose() => _channel.Dispose();

    private static RpcChannelOptions Options(Func<System.Net.Security.SslClientAuthenticationOptions>? tls) => new()
    {
        Tls = tls,
        ConnectTimeout = ConnectTimeout,
        UserAgent = $"nodeagent/{AgentVersion.Text}",
    };
}
