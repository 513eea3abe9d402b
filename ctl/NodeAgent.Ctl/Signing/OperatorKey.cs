using System.Security.Cryptography;

namespace NodeAgent.Ctl.Signing;

/// <summary>A person's signing key: a PEM file that only its owner can read. It never leaves this machine.</summary>
internal static class OperatorKey
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <summary>Where the key is unless <c>--sign-with</c> says otherwise: NODECTL_KEY, or ~/.config/nodectl/operator.key.</summary>
    internal static string DefaultPath(CtlWorld world) =>
        world.Variable("NODECTL_KEY") ?? Path.Combine(world.Variable("XDG_CONFIG_HOME") ?? Path.Combine(world.Home, ".config"), "nodectl", "operator.key");

    /// <summary>Makes a key on P-256 and its file, mode 0600. A file that is there already is not replaced.</summary>
    internal static ECDsa Create(string path)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder) Directory.CreateDirectory(folder);
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using StreamWriter file = new(path, options);
            file.WriteLine(key.ExportPkcs8PrivateKeyPem());
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            key.Dispose();
            throw new CtlException(ExitCode.Failure, "cannot make the key", e.Message, cause: e);
        }
    }

    /// <summary>Reads a key. One that others can read is refused: its signatures would prove nothing.</summary>
    internal static ECDsa Read(string path)
    {
        ECDsa key = ECDsa.Create();
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new CtlException(ExitCode.Failure, "cannot sign", $"others may read or write {path}", $"chmod 600 {path}");
            }

            key.ImportFromPem(File.ReadAllText(path));
            return key;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new CtlException(ExitCode.Failure, "cannot sign", $"{path}: {e.Message}", "`nodectl key create` makes a key", e);
        }
        catch (CtlException)
        {
            key.Dispose();
            throw;
        }
    }

    /// <summary>As the policy of a node wants it: SubjectPublicKeyInfo, Base64.</summary>
    internal static string PublicText(ECDsa key) => Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
}
