using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Agent.Configuration;
using NodeAgent.Agent.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Security;

namespace NodeAgent.Agent.Uplink;

/// <summary>Dials the aggregator as the configuration wants it, with the identity that this host has at that moment.</summary>
internal sealed class RpcLinkDialer : ILinkDialer, IDisposable
{
    private readonly Uri _address;
    private readonly Metadata? _headers;
    private readonly BlockingConnectionOptions _options;
    private readonly WakeHandle _wake = new();
    private readonly IdentityKeeper? _identity;
    private readonly TimeProvider _time;
    private string _serverProblem = ""; // what was wrong with the server's certificate in the last handshake

    private RpcLinkDialer(Uri address, string node)
    {
        (_address, Node, _time) = (address, node, TimeProvider.System);
        string claim = new FleetIdentity("local", FleetRole.Agent, node).ToUri();
        _headers = new Metadata { { FleetIdentity.PlaintextHeader, claim } };
        _options = new BlockingConnectionOptions { UserAgent = UserAgent };
    }

    /// <summary>With mutual TLS.</summary>
    internal RpcLinkDialer(Uri address, string serverName, IdentityKeeper identity, TimeProvider time)
    {
        (_address, Node, _identity, _time) = (address, identity.Current.Identity.Name, identity, time);
        _options = new BlockingConnectionOptions { Tls = () => TlsOf(serverName, identity.Current), UserAgent = UserAgent };
    }

    private static string UserAgent => $"nodeagent/{AgentVersion.Text}";

    public string Peer => _address.Authority;

    /// <summary>What the aggregator calls this node: as the certificate says, or without TLS the configuration.</summary>
    internal string Node { get; }

    /// <summary>For an http address, which has no identities.</summary>
    internal static RpcLinkDialer WithoutTls(Uri address, string node) => new(address, node);

    /// <summary>Loads certificates that were made by hand; does not connect. Null: <paramref name="error"/> names the file.</summary>
    internal static MemberIdentity? TryLoadByHand(UplinkSettings settings, out string error) =>
        MutualTls.TryLoadAuthorities(settings.CaFile!, out error) is { } authorities
        && MutualTls.TryLoadIdentity(settings.CertificateFile!, settings.KeyFile!, out error) is { } own
            ? MemberIdentity.TryMake(own, [], authorities, settings.CertificateFile!, out error) : null;

    public ILink? TryDial(CancellationToken stop, out string problem)
    {
        problem = _identity?.RenewIfDue(_wake, stop) ?? "";
        if (problem.Length > 0)
        {
            return null;
        }

        _serverProblem = "";
        BlockingConnection? connection = BlockingConnection.TryConnect(_address, _options, _wake, stop, out Status failure);
        problem = connection is not null ? "" : _serverProblem.Length > 0 ? $"{Peer} is not believed: {_serverProblem}" : failure.Detail;
        return connection is null ? null : new RpcLink(connection, _headers, Explain);
    }

    public void Wait(TimeSpan atMost) => _wake.Wait(atMost);

    public void Wake() => _wake.Wake();

    public void Dispose()
    {
        _wake.Dispose();
        _identity?.Dispose();
    }

    // The server ended the connection before it said anything at all.
    private string Explain(string problem) => _identity is null ? problem : $"{problem}; {HandshakeDiagnosis.Of(_identity.Current, _time.GetUtcNow())}";

    private SslClientAuthenticationOptions TlsOf(string serverName, MemberIdentity identity)
    {
        SslClientAuthenticationOptions options = MutualTls.ClientOptions(serverName, identity.Roots, identity.Certificate, identity.Between);
        options.RemoteCertificateValidationCallback = (_, shown, chain, errors) => IsBelieved(serverName, shown, chain, errors);
        return options;
    }

    // Judges nothing anew; the platform's own words for a refusal are "rejected by the callback" or "invalid".
    private bool IsBelieved(string serverName, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        _serverProblem = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) || shown is null ? "it showed no certificate"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors)
                ? $"{shown.Subject}: {string.Join("; ", (chain?.ChainStatus ?? []).Select(status => status.StatusInformation.Trim().TrimEnd('.')).Distinct())} (this host's clock says {_time.GetUtcNow().UtcDateTime:u})"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"{shown.Subject} does not carry the name {serverName}; uplink.server_name may name another"
            : "";
        return errors == SslPolicyErrors.None;
    }
}
