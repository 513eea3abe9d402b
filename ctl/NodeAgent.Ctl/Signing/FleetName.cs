using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Contracts.Identity;
using NodeAgent.Ctl.Commands;

namespace NodeAgent.Ctl.Signing;

/// <summary>For which fleet somebody signs: as said, else as their own certificate says; never as the aggregator says.</summary>
internal static class FleetName
{
    /// <summary>The name that an aggregator without TLS has nodes call themselves by.</summary>
    private const string Plaintext = "local";

    internal static Guid Id(CommandContext context, string? given) => NodeAgent.Commands.CommandIdentity.FleetOf(Of(context, given));

    internal static string Of(CommandContext context, string? given) => given ?? OfCertificate(context);

    private static string OfCertificate(CommandContext context)
    {
        if (context.Settings.CertificatePath is not { } path) return Plaintext;
        try
        {
            using X509Certificate2 certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
            return FleetCertificate.ReadIdentity(certificate)?.Fleet
                ?? throw CtlException.Usage("cannot sign", $"{path} names no fleet", "Say --fleet NAME.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw CtlException.Usage("cannot sign", $"{path}: {e.Message}", "Say --fleet NAME.");
        }
    }
}
