using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using NodeAgent.Aggregator.Configuration;
using NodeAgent.Rpc.Security;

namespace NodeAgent.Aggregator.Identity;

/// <summary>Mutual TLS 1.3: our certificate, and only clients whose certificate the fleet's CA signed.</summary>
internal sealed class ServerTls : IDisposable
{
    private readonly X509Certificate2Collection _authorities;
    private readonly X509Certificate2 _own;
    private readonly Action<string, string> _onRefused;

    private ServerTls(X509Certificate2Collection authorities, X509Certificate2 own, Action<string, string> onRefused)
    {
        _authorities = authorities;
        _own = own;
        _onRefused = onRefused;
    }

    /// <summary>Loads the three files. Null: <paramref name="error"/> names the file and what is wrong with it.</summary>
    internal static ServerTls? TryLoad(ListenSettings settings, Action<string, string> onRefused, out string error)
    {
        if (MutualTls.TryLoadAuthorities(settings.CaFile!, out error) is not { } authorities
            || MutualTls.TryLoadIdentity(settings.CertificateFile!, settings.KeyFile!, out error) is not { } own)
        {
            return null;
        }

        return new ServerTls(authorities, own, onRefused);
    }

    internal void Configure(HttpsConnectionAdapterOptions https)
    {
        https.ServerCertificate = _own;
        https.SslProtocols = SslProtocols.Tls13;
        https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
        https.CheckCertificateRevocation = false; // no CRL is published; lifetimes are the bound until revocation is our own
        https.ClientCertificateValidation = IsOurs;
    }

    public void Dispose() => _own.Dispose();

    private bool IsOurs(X509Certificate2 certificate, X509Chain? _, SslPolicyErrors errors)
    {
        using X509Chain chain = new();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.2")); // id-kp-clientAuth, RFC 5280
        if (chain.Build(certificate))
        {
            return true;
        }

        _onRefused(certificate.Subject, string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim())));
        return false;
    }
}
