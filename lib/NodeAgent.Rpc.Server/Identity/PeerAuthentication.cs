using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace NodeAgent.Rpc.Server.Identity;

/// <summary>The facts of a client certificate under the names that gRPC uses for them.</summary>
internal static class PeerAuthentication
{
    private static readonly AuthContext Nobody = new(null, []);

    internal static AuthContext Read(ConnectionInfo connection)
    {
        // Only a certificate that the TLS handshake of this endpoint accepted gets this far.
        if (connection.ClientCertificate is not { } certificate)
        {
            return Nobody;
        }

        Dictionary<string, List<AuthProperty>> properties = [];
        X509SubjectAlternativeNameExtension? names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault();
        foreach (string name in names?.EnumerateDnsNames() ?? [])
        {
            Add("x509_subject_alternative_name", name);
        }

        Add("x509_common_name", certificate.GetNameInfo(X509NameType.SimpleName, false));
        return new AuthContext(
            properties.ContainsKey("x509_subject_alternative_name") ? "x509_subject_alternative_name" : "x509_common_name", properties);

        void Add(string key, string value)
        {
            if (!properties.TryGetValue(key, out List<AuthProperty>? list))
            {
                properties[key] = list = [];
            }

            list.Add(AuthProperty.Create(key, Encoding.UTF8.GetBytes(value)));
        }
    }
}
