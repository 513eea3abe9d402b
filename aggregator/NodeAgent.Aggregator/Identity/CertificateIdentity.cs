using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Aggregator.Identity;

/// <summary>Whom a certificate speaks for here; <see cref="FleetCertificate"/> reads it, this remembers it.</summary>
internal static class CertificateIdentity
{
    // A connection has one certificate object for all its calls; parsing it each time would cost more than most calls do.
    private static readonly ConditionalWeakTable<X509Certificate2, Holder> Known = [];

    internal static CallerIdentity? Read(X509Certificate2 certificate) => Known.GetValue(certificate, static c => new Holder(Parse(c))).Identity;

    private static CallerIdentity? Parse(X509Certificate2 certificate) =>
        FleetCertificate.ReadIdentity(certificate) is { } identity ? new CallerIdentity(identity, PeerCertificate.Of(certificate, identity)) : null;

    private sealed record Holder(CallerIdentity? Identity);
}
