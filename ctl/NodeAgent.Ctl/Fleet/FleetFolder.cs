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

    public void WriteServer(X509Certificate2 certificate) => Write(ServerCertificate, ServerKey, certificate);

    public void WriteMember(FleetIdentity identity, X509Certificate2 certificate) => Write(Member(identity) + ".crt", Member(identity) + ".key", certificate);

    public void WriteConfig(string json) => WriteFile(ConfigFile, json, Public);

    /// <summary>The CA with its key.</summary>
    /// <exception cref="CtlException">It is not there or cannot be read.</exception>
    public X509Certificate2 LoadAuthority()
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(AuthorityCertificate, AuthorityKey);
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

    private static void MakeFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, PrivateFolder);
    }
}
