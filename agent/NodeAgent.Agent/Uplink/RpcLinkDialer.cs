using System.Net.Security;
using Grpc.Core;
using NodeAgent.Agent.Configuration;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Security;

namespace NodeAgent.Agent.Uplink;

/// <summary>Dials the aggregator as the configuration wants it.</summary>
internal sealed class RpcLinkDialer : ILinkDialer, IDisposable
{
    private readonly Uri _address;
    private readonly Metadata? _headers;
    private readonly BlockingConnectionOptions _options;
    private readonly WakeHandle _wake = new();

    private RpcLinkDialer(Uri address, Metadata? headers, Func<SslClientAuthenticationOptions>? tls)
    {
        (_address, _headers) = (address, headers);
        _options = new BlockingConnectionOptions { Tls = tls, UserAgent = $"nodeagent/{AgentVersion.Text}" };
    }

    public string Peer => _address.Authority;

    /// <summary>Loads the certificates; does not connect. Null: <paramref name="error"/> names the file.</summary>
    internal static RpcLinkDialer? TryCreate(UplinkSettings settings, out string error)
    {
        error = "";
        Uri address = settings.Aggregator!;
        if (settings.PlaintextNode is { } node)
        {
            string identity = new FleetIdentity("local", FleetRole.Agent, node).ToUri();
            return new RpcLinkDialer(address, new Metadata { { FleetIdentity.PlaintextHeader, identity } }, tls: null);
        }

        if (MutualTls.TryLoadAuthorities(settings.CaFile!, out error) is not { } authorities
            || MutualTls.TryLoadIdentity(settings.CertificateFile!, settings.KeyFile!, out error) is not { } own)
        {
            return null;
        }

        string serverName = settings.ServerName ?? address.Host;
        return new RpcLinkDialer(address, headers: null, () => MutualTls.ClientOptions(serverName, authorities, own));
    }

    public ILink? TryDial(CancellationToken stop, out string problem)
    {
        BlockingConnection? connection = BlockingConnection.TryConnect(_address, _options, _wake, stop, out Status failure);
        problem = connection is null ? failure.Detail : "";
        return connection is null ? null : new RpcLink(connection, _headers);
    }

    public void Wait(TimeSpan atMost) => _wake.Wait(atMost);

    public void Wake() => _wake.Wake();

    public void Dispose() => _wake.Dispose();
}
