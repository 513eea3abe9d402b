using System.Net;
using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Identity;

/// <summary>How members of the fleet get their certificates, and for how long.</summary>
internal sealed class IdentitySettings
{
    /// <summary>The well-known port for enrolment.</summary>
    internal const int DefaultPort = 7444;

    internal IPEndPoint? EnrolmentAddress { get; set; }

    internal string? IssuerCertificateFile { get; set; }

    internal string? IssuerKeyFile { get; set; }

    internal TimeSpan CertificateLife { get; set; } = TimeSpan.FromHours(24);

    internal TimeSpan StreamLife { get; set; } = TimeSpan.FromHours(1);

    internal static SettingCatalog<IdentitySettings> Settings { get; } = SettingCatalog.Define<IdentitySettings>(s => s
        .OptionalListen("enrolment_address", o => o.EnrolmentAddress, (o, v) => o.EnrolmentAddress = v,
            "Where hosts without a certificate hand in a join token (`nodectl token create`). TLS without client certificates, small messages, "
            + "few tries; nothing else is served there. Null: nobody can be enrolled, and renewals go on.",
            example: "0.0.0.0:7444")
        .OptionalFilePath("issuer_certificate_file", o => o.IssuerCertificateFile, (o, v) => o.IssuerCertificateFile = v,
            "PEM file with the certificate of the issuing CA, which the fleet's root has signed; `nodectl fleet init` and `nodectl fleet issuer` make it. "
            + "Null: no certificate is issued or renewed here.",
            example: "/etc/nodeagent/fleet/issuer.crt")
        .OptionalFilePath("issuer_key_file", o => o.IssuerKeyFile, (o, v) => o.IssuerKeyFile = v,
            "PEM file with its private key. The root's own key does not belong on this machine.", example: "/etc/nodeagent/fleet/issuer.key")
        .Duration("certificate_life", o => o.CertificateLife, (o, v) => o.CertificateLife = v, TimeSpan.FromSeconds(20), TimeSpan.FromDays(30),
            "How long an issued certificate is good. Members renew between 50 and 66 % of it; after its end they can still renew for 14 days, and do nothing else.")
        .Duration("stream_life", o => o.StreamLife, (o, v) => o.StreamLife = v, TimeSpan.FromSeconds(6), TimeSpan.FromHours(24),
            "After about so long (10 % more or less) an agent's stream ends in good order, and the agent comes back with the certificate that it then has.")
        .Rule(["issuer_certificate_file", "issuer_key_file"], o => (o.IssuerCertificateFile is null) != (o.IssuerKeyFile is null)
            ? "issuer_certificate_file and issuer_key_file go together" : null)
        .Rule(["enrolment_address"], o => o.EnrolmentAddress is not null && o.IssuerCertificateFile is null
            ? "enrolment needs an issuing CA: issuer_certificate_file and issuer_key_file" : null));
}
