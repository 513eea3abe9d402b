using System.Security.Cryptography.X509Certificates;
using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Text;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Fleet;

/// <summary>One file that <c>nodectl fleet</c> wrote.</summary>
/// <param name="Purpose">ca, issuer, server, or a member's role.</param>
/// <param name="Identity">URI, or the names of a server. Empty for the CA.</param>
/// <param name="NotAfter">End of validity, RFC 3339.</param>
internal sealed record FleetFileItem(string Purpose, string Certificate, string Key, string Identity, string? NotAfter, long NotAfterUnixMs)
{
    public static FleetFileItem From(string purpose, string certificatePath, string keyPath, string identity, X509Certificate2 certificate)
    {
        long end = new DateTimeOffset(certificate.NotAfter).ToUnixTimeMilliseconds();
        return new FleetFileItem(purpose, certificatePath, keyPath, identity, MomentText.Rfc3339(end), end);
    }

    public static readonly Listing<FleetFileItem> Listing = new(
        "FleetFileList",
        [
            new("PURPOSE", "purpose", item => item.Purpose, item => item.Purpose),
            new("CERTIFICATE", "certificate", item => item.Certificate, item => item.Certificate),
            new("KEY", "key", item => "", item => item.Key) { WideOnly = true },
            new("IDENTITY", "identity", item => NodeListing.OrNone(item.Identity), item => item.Identity),
            new("VALID UNTIL", "notAfter", item => item.NotAfter?[..10] ?? Human.None, item => item.NotAfter ?? ""),
        ],
        CtlJson.Default.FleetFileItem,
        "nothing written");
}
