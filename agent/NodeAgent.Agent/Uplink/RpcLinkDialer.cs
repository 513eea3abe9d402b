using System.Security.Cryptography.X509Certificates;
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
    private readonly X509Certificate2? _own;

    private RpcLinkDialer(Uri address, string node)
    {
        (_address, Node) = (address, node);
        string claim = new FleetIdentity("local", FleetRole.Agent, node).ToUri();
        _headers = new Metadata { { FleetIdentity.PlaintextHeader, claim } };
        _options = new BlockingConnectionOptions { UserAgent = UserAgent };
    }

    private RpcLinkDialer(Uri address, string node, string serverName, X509Certificate2Collection authorities, X509Certificate2 own)
    {
        (_address, Node, _own) = (address, node, own);
        _options = new BlockingConnectionOptions { Tls = () => MutualTls.ClientOptions(serverName, authorities, own), UserAgent = UserAgent };
    }

    private static string UserAgent => $"nodeagent/{AgentVersion.Text}";

    public string Peer => _address.Authority;

    /// <summary>What the aggregator calls this node: as the certificate says, or without TLS the configuration.</summary>
    internal string Node { get; }

    /// <summary>Loads the certificates; does not connect. Null: <paramref name="error"/> names the file.</summary>
    internal static RpcLinkDialer? TryCreate(UplinkSettings settings, out string error)
    {
        error = "";
        Uri address = settings.Aggregator!;
        if (settings.PlaintextNode is { } node)
        {
            return new RpcLinkDialer(address, node);
        }

        if (MutualTls.TryLoadAuthorities(settings.CaFile!, out error) is not { } authorities
            || MutualTls.TryLoadIdentity(settings.CertificateFile!, settings.KeyFile!, out error) is not { } own)
        {
            return null;
        }

        if (FleetCertificate.ReadIdentity(own) is not { Role: FleetRole.Agent } identified)
        {
            // The aggregator would refuse it at every attempt; better said once, by who can say why.
            own.Dispose();
            error = $"{settings.CertificateFile} is not an agent's: its one URI name must be {FleetIdentity.Scheme}://FLEET/agent/NODE";
            return null;
        }

        return new RpcLinkDialer(address, identified.Name, settings.ServerName ?? address.Host, authorities, own);
    }

    public ILink? TryDial(CancellationToken stop, out string problem)
    {
        BlockingConnection? connection = BlockingConnection.TryConnect(_address, _options, _wake, stop, out Status failure);
        problem = connection is null ? failure.Detail : "";
        return connection is null ? null : new RpcLink(connection, _headers);
    }

    public void Wait(TimeSpan atMost) => _wake.Wait(atMost);

    public void Wake() => _wake.Wake();

    public void Dispose()
    {
        _wake.Dispose();
        _own?.Dispose();
    }
}
