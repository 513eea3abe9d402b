using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;

namespace NodeAgent.Ctl.Fleet;

/// <summary>Who a certificate speaks for: the URI <c>nodeagent://FLEET/ROLE/NAME</c> in its subject alternative names.</summary>
/// <param name="Role">agent, viewer, operator or admin.</param>
internal sealed partial record FleetIdentity(string Fleet, string Role, string Name)
{
    public static readonly IReadOnlyList<string> Roles = ["agent", "viewer", "operator", "admin"];

    // Context-specific tag of uniformResourceIdentifier in GeneralName, RFC 5280, 4.2.1.6.
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    public Uri Uri => new($"nodeagent://{Fleet}/{Role}/{Name}");

    /// <summary>The rule for fleet and member names: a DNS-like word, so that URIs, files and labels need no escaping.</summary>
    public static bool IsName(string text) => Name63().IsMatch(text);

    /// <summary>False: the certificate has no such URI, or more than one.</summary>
    public static bool TryRead(X509Certificate2 certificate, [NotNullWhen(true)] out FleetIdentity? identity)
    {
        identity = null;
        List<FleetIdentity> found = [];
        foreach (X509Extension extension in certificate.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension names) found.AddRange(Uris(names.RawData).Select(Parse).OfType<FleetIdentity>());
        }

        if (found.Count != 1) return false;
        identity = found[0];
        return true;
    }

    // A URI parser would lower-case the fleet as a host name; the text is taken as it stands.
    private static FleetIdentity? Parse(string uri)
    {
        const string Scheme = "nodeagent://";
        if (!uri.StartsWith(Scheme, StringComparison.Ordinal)) return null;
        string[] parts = uri[Scheme.Length..].Split('/');
        return parts.Length == 3 && IsName(parts[0]) && Roles.Contains(parts[1]) && IsName(parts[2]) ? new FleetIdentity(parts[0], parts[1], parts[2]) : null;
    }

    private static List<string> Uris(byte[] extension)
    {
        List<string> uris = [];
        AsnReader names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
        while (names.HasData)
        {
            if (names.PeekTag().HasSameClassAndValue(UriTag)) uris.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag));
            else names.ReadEncodedValue();
        }

        return uris;
    }

    [GeneratedRegex(@"\A[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name63();
}
