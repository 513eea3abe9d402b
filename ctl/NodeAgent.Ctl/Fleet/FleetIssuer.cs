using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>What <c>nodectl fleet init</c> and <c>nodectl fleet issue</c> do.</summary>
internal sealed class FleetIssuer(TimeProvider time)
{
    // The root stays in a safe place and outlives machines; what travels is short enough to be replaced in time and long enough
    // to need no hurry until renewal exists.
    public static readonly TimeSpan AuthorityValidity = TimeSpan.FromDays(3653);
    public static readonly TimeSpan MemberValidity = TimeSpan.FromDays(397);

    // What the aggregator signs with is on a machine with a network: soon enough of no use to who copied it, and rarely enough a chore.
    public static readonly TimeSpan IssuerValidity = TimeSpan.FromDays(90);

    private const string FleetNamePrefix = "CN=";
    private const string FleetNameSuffix = " fleet CA";

    private readonly CertificateMaker _maker = new(time);

    /// <summary>A CA, the aggregator's issuing CA and certificate, the caller's certificates as operator and as admin, and a nodectl configuration that uses them.</summary>
    public IReadOnlyList<FleetFileItem> Init(FleetFolder folder, string fleet, IReadOnlyList<string> serverNames, string caller, bool force)
    {
        FleetIdentity identity = new(fleet, FleetRole.Operator, caller);
        FleetIdentity admin = identity with { Role = FleetRole.Admin };
        FleetFolder.RefuseOverwrite(force, folder.AuthorityCertificate, folder.AuthorityKey, folder.IssuerCertificate, folder.IssuerKey, folder.ServerCertificate, folder.ServerKey, folder.ConfigFile,
            folder.Member(identity) + ".crt", folder.Member(identity) + ".key", folder.Member(admin) + ".crt", folder.Member(admin) + ".key");
        using X509Certificate2 authority = _maker.MakeAuthority(fleet, AuthorityValidity);
        using X509Certificate2 server = _maker.MakeServer(authority, fleet, serverNames, MemberValidity);
        using X509Certificate2 issuer = _maker.MakeIssuer(authority, fleet, IssuerValidity);
        folder.WriteAuthority(authority);
        folder.DeleteNextAuthority();
        folder.WriteIssuer(issuer);
        folder.WriteServer(server);
        FleetFileItem member = IssueFrom(folder, authority, identity, MemberValidity);
        FleetFileItem adminFile = IssueFrom(folder, authority, admin, MemberValidity);
        folder.WriteConfig(Config(fleet, serverNames[0], caller));
        return
        [
            FleetFileItem.From("ca", folder.AuthorityCertificate, folder.AuthorityKey, "", authority),
            FleetFileItem.From("issuer", folder.IssuerCertificate, folder.IssuerKey, "", issuer),
            FleetFileItem.From("server", folder.ServerCertificate, folder.ServerKey, string.Join(",", serverNames), server),
            member,
            adminFile,
        ];
    }

    /// <summary>A client certificate of the fleet whose CA is in the folder.</summary>
    /// <exception cref="CtlException">No CA, the CA expired, the files exist.</exception>
    public FleetFileItem Issue(FleetFolder folder, FleetRole role, string name, TimeSpan validity, bool force)
    {
        using X509Certificate2 authority = LoadLiving(folder);
        FleetIdentity identity = new(FleetOf(authority), role, name);
        FleetFolder.RefuseOverwrite(force, folder.Member(identity) + ".crt", folder.Member(identity) + ".key");
        return IssueFrom(folder, authority, identity, validity);
    }

    /// <summary>A new issuing CA for the aggregator; the one before stays good until it ends.</summary>
    /// <exception cref="CtlException">No CA, the CA expired, or it was made before there were issuing CAs.</exception>
    public FleetFileItem RenewIssuer(FleetFolder folder)
    {
        using X509Certificate2 authority = LoadLiving(folder);
        if (authority.Extensions.OfType<X509BasicConstraintsExtension>().Any(constraint => constraint is { HasPathLengthConstraint: true, PathLengthConstraint: 0 }))
        {
            throw new CtlException(ExitCode.Failure, "cannot make an issuing CA", "this fleet's root was made without room for one", "Change the root: nodectl ca rotate DIR.");
        }

        using X509Certificate2 issuer = _maker.MakeIssuer(authority, FleetOf(authority), IssuerValidity);
        folder.WriteIssuer(issuer);
        return FleetFileItem.From("issuer", folder.IssuerCertificate, folder.IssuerKey, "", issuer);
    }

    private X509Certificate2 LoadLiving(FleetFolder folder)
    {
        X509Certificate2 authority = folder.LoadSigningAuthority();
        if (time.GetUtcNow() < authority.NotAfter) return authority;
        string end = $"{authority.NotAfter:yyyy-MM-dd}";
        authority.Dispose();
        throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"the fleet's CA expired on {end}", "Make a new fleet: nodectl fleet init.");
    }

    private FleetFileItem IssueFrom(FleetFolder folder, X509Certificate2 authority, FleetIdentity identity, TimeSpan validity)
    {
        using X509Certificate2 certificate = _maker.MakeClient(authority, identity, validity);
        folder.WriteMember(identity, certificate);
        return FleetFileItem.From(FleetRoles.Word(identity.Role), folder.Member(identity) + ".crt", folder.Member(identity) + ".key", identity.ToUri(), certificate);
    }

    internal static string FleetOf(X509Certificate2 authority)
    {
        string subject = authority.Subject;
        string name = subject.StartsWith(FleetNamePrefix, StringComparison.Ordinal) && subject.EndsWith(FleetNameSuffix, StringComparison.Ordinal)
            ? subject[FleetNamePrefix.Length..^FleetNameSuffix.Length] : "";
        return FleetIdentity.IsFleetName(name) ? name : throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"the CA '{subject}' was not made by 'nodectl fleet init'");
    }

    /// <summary>The profile with the caller's certificate as admin: nobody is one by accident.</summary>
    public static string AdminProfile(string fleet) => fleet + "-admin";

    private static void WriteProfile(Utf8JsonWriter json, string name, string server, string identity)
    {
        json.WriteStartObject(name);
        json.WriteString("server", "https://" + new Connection.ServerAddress(server, Connection.ServerAddress.DefaultPort, Plaintext: false).Authority);
        json.WriteString("ca", "ca.crt");
        json.WriteString("cert", identity + ".crt");
        json.WriteString("key", identity + ".key");
        json.WriteEndObject();
    }

    private static string Config(string fleet, string server, string caller)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("current", fleet);
            json.WriteStartObject("profiles");
            WriteProfile(json, fleet, server, $"operators/{caller}");
            WriteProfile(json, AdminProfile(fleet), server, $"admins/{caller}");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
