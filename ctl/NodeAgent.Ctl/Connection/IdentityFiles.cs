using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.Ctl.Connection;

/// <summary>Loads the CA and the caller's identity from PEM files.</summary>
internal static class IdentityFiles
{
    /// <summary>Null: the system's trust store.</summary>
    /// <exception cref="CtlException">Missing, unreadable or without a certificate.</exception>
    public static X509Certificate2Collection? LoadAuthorities(string? path)
    {
        if (path is null) return null;
        X509Certificate2Collection authorities = [];
        Load(path, "the CA", () => authorities.ImportFromPemFile(path));
        if (authorities.Count == 0) throw CtlException.Usage($"cannot use {path}", "it holds no certificate", "--ca wants the fleet's ca.crt.");
        return authorities;
    }

    /// <summary>Null: no identity.</summary>
    /// <exception cref="CtlException">Missing, unreadable, or certificate and key do not belong together.</exception>
    public static X509Certificate2? LoadIdentity(string? certificatePath, string? keyPath)
    {
        if (certificatePath is null || keyPath is null) return null;
        X509Certificate2? identity = null;
        Load(certificatePath, "the identity", () =>
        {
            using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
            // TLS on Windows cannot use the ephemeral key that the PEM reader makes; a round trip through PKCS#12 serves both.
            identity = OperatingSystem.IsWindows()
                ? X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), password: null)
                : X509Certificate2.CreateFromPemFile(certificatePath, keyPath);
        });
        return identity;
    }

    /// <summary>What a certificate's file has behind the certificate: what stands between it and a root. Loaded before; nothing is new.</summary>
    public static X509Certificate2Collection LoadBetween(string? certificatePath)
    {
        X509Certificate2Collection all = [];
        if (certificatePath is not null) Load(certificatePath, "the identity", () => all.ImportFromPemFile(certificatePath));
        return [.. all.Skip(1)];
    }

    private static void Load(string path, string what, Action load)
    {
        try
        {
            load();
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            string file = (missing as FileNotFoundException)?.FileName ?? path;
            throw CtlException.Usage($"cannot load {what}", $"{file} does not exist", "Check --ca, --cert and --key or the profile; 'nodectl fleet issue' makes identities.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw CtlException.Usage($"cannot load {what}", unreadable.Message, "Check the file's permissions.");
        }
        catch (Exception broken) when (broken is CryptographicException or ArgumentException)
        {
            throw CtlException.Usage($"cannot load {what}", $"{path}: {broken.Message}", "It must be PEM, and the key must belong to the certificate.");
        }
    }
}
