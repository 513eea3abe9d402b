using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Agent.Identity;

/// <summary>A new key and the request (PKCS#10) that proves to hold it. The name in it is for people who look at one; nobody believes it.</summary>
internal static class KeyRequest
{
    /// <summary>In PEM (PKCS#8).</summary>
    internal static string NewKey()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    /// <summary>In DER.</summary>
    internal static byte[] Make(string keyPem)
    {
        using ECDsa key = Load(keyPem);
        return new CertificateRequest("CN=nodeagent", key, HashAlgorithmName.SHA256).CreateSigningRequest();
    }

    /// <summary>SubjectPublicKeyInfo; null: it is no key.</summary>
    internal static byte[]? PublicKeyOf(string keyPem)
    {
        try
        {
            using ECDsa key = Load(keyPem);
            return key.ExportSubjectPublicKeyInfo();
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // A file that was never whole: as if it were not there.
            return null;
        }
    }

    private static ECDsa Load(string keyPem)
    {
        ECDsa key = ECDsa.Create();
        key.ImportFromPem(keyPem);
        return key;
    }
}
