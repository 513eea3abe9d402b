using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>The folder that holds a fleet's CA and what it issued. Keys are readable by their owner only, folders closed to others.</summary>
internal sealed class FleetFolder(string root)
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode PrivateFolder = Private | UnixFileMode.UserExecute;
    private const UnixFileMode Public = Private | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public string Root { get; } = Path.GetFullPath(root);

    public string AuthorityCertificate => Path.Combine(Root, "ca.crt");

    public string AuthorityKey => Path.Combine(Root, "ca.key");

    /// <summary>While the root is being changed: the new one, before it is the only one.</summary>
    public string NextAuthorityCertificate => Path.Combine(Root, "ca-next.crt");

    public string NextAuthorityKey => Path.Combine(Root, "ca-next.key");

    public string IssuerCertificate => Path.Combine(Root, "issuer.crt");

    public string IssuerKey => Path.Combine(Root, "issuer.key");

    public string ServerCertificate => Path.Combine(Root, "aggregator.crt");

    public string ServerKey => Path.Combine(Root, "aggregator.key");

    public string ConfigFile => Path.Combine(Root, "config.json");

    /// <summary>"agents/NAME", "viewers/NAME", "operators/NAME", "admins/NAME", without extension.</summary>
    public string Member(FleetIdentity identity) => Path.Combine(Root, FleetRoles.Word(identity.Role) + "s", identity.Name);

    /// <summary>Refuses before anything is written when one of the files is there already.</summary>
    /// <exception cref="CtlException">A file exists and <paramref name="force"/> is false.</exception>
    public static void RefuseOverwrite(bool force, params ReadOnlySpan<string> paths)
    {
        foreach (string path in paths)
        {
            if (!force && File.Exists(path)) throw new CtlException(ExitCode.Failure, $"cannot write {path}", "it exists", "Use --force to replace it; whoever holds the old one keeps it.");
        }
    }

    public void WriteAuthority(X509Certificate2 certificate) => Write(AuthorityCertificate, AuthorityKey, certificate);

    public void WriteNextAuthority(X509Certificate2 certificate) => Write(NextAuthorityCertificate, NextAuthorityKey, certificate);

    /// <summary>The roots that members believe, the first one with its key in <see cref="AuthorityKey"/>.</summary>
    public void WriteRoots(IEnumerable<X509Certificate2> roots) =>
        WriteFile(AuthorityCertificate, string.Concat(roots.Select(root => root.ExportCertificatePem() + "\n")), Public);

    public void WriteIssuer(X509Certificate2 certificate) => Write(IssuerCertificate, IssuerKey, certificate);

    /// <summary>A copy of the root's files before they are replaced.</summary>
    public void KeepAuthorityAs(string name)
    {
        Copy(AuthorityCertificate, Path.Combine(Root, name + ".crt"), Public);
        Copy(AuthorityKey, Path.Combine(Root, name + ".key"), Private);
    }

    public void DeleteNextAuthority()
    {
        File.Delete(NextAuthorityCertificate);
        File.Delete(NextAuthorityKey);
    }

    public void WriteServer(X509Certificate2 certificate) => Write(ServerCertificate, ServerKey, certificate);

    public void WriteMember(FleetIdentity identity, X509Certificate2 certificate) => Write(Member(identity) + ".crt", Member(identity) + ".key", certificate);

    public void WriteConfig(string json) => WriteFile(ConfigFile, json, Public);

    /// <summary>The CA with its key; while the root is being changed, the new one, which everything already believes.</summary>
    /// <exception cref="CtlException">It is not there or cannot be read.</exception>
    public X509Certificate2 LoadSigningAuthority() => LoadNextAuthority() ?? LoadAuthority();

    /// <summary>Null: the root is not being changed.</summary>
    public X509Certificate2? LoadNextAuthority() => File.Exists(NextAuthorityKey) ? Load(NextAuthorityCertificate, NextAuthorityKey) : null;

    /// <summary>The present CA with its key.</summary>
    /// <exception cref="CtlException">It is not there or cannot be read.</exception>
    public X509Certificate2 LoadAuthority() => Load(AuthorityCertificate, AuthorityKey);

    /// <summary>The aggregator's certificate, without its key.</summary>
    public X509Certificate2 LoadServer() => Load(ServerCertificate, ServerKey);

    private X509Certificate2 Load(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"{Root} holds no fleet CA", $"Make one: nodectl fleet init {Root} --name FLEET.");
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"the CA in {Root} cannot be used: {unusable.Message}");
        }
    }

    private void Write(string certificatePath, string keyPath, X509Certificate2 certificate)
    {
        using ECDsa key = certificate.GetECDsaPrivateKey() ?? throw new InvalidOperationException($"BUG: {certificate.Subject} has no ECDSA key");
        // The key first: a certificate without its key looks like success and is useless.
        WriteFile(keyPath, key.ExportPkcs8PrivateKeyPem() + "\n", Private);
        WriteFile(certificatePath, certificate.ExportCertificatePem() + "\n", Public);
    }

    // Written beside and renamed: a crash leaves the old file or the new one, never half of one, and the mode is right from the first byte.
    private void WriteFile(string path, string content, UnixFileMode mode)
    {
        try
        {
            MakeFolder(Path.GetDirectoryName(path) ?? Root);
            string fresh = path + ".new";
            File.Delete(fresh);
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
            using (StreamWriter writer = new(new FileStream(fresh, options))) writer.Write(content);
            File.Move(fresh, path, overwrite: true);
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            throw new CtlException(ExitCode.Failure, $"cannot write {path}", failed.Message, "Check the folder's permissions and the space left.");
        }
    }

    private void Copy(string from, string to, UnixFileMode mode) => WriteFile(to, File.ReadAllText(from), mode);

    private static void MakeFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, PrivateFolder);
    }
}
