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

    private const string FleetNamePrefix = "CN=";
    private const string FleetNameSuffix = " fleet CA";

    private readonly CertificateMaker _maker = new(time);

    /// <summary>A CA, the aggregator's certificate, the caller's operator certificate, and a nodectl configuration that uses them.</summary>
    public IReadOnlyList<FleetFileItem> Init(FleetFolder folder, string fleet, IReadOnlyList<string> serverNames, string caller, bool force)
    {
        FleetIdentity identity = new(fleet, FleetRole.Operator, caller);
        FleetFolder.RefuseOverwrite(force, folder.AuthorityCertificate, folder.AuthorityKey, folder.ServerCertificate, folder.ServerKey, folder.ConfigFile,
            folder.Member(identity) + ".crt", folder.Member(identity) + ".key");
        using X509Certificate2 authority = _maker.MakeAuthority(fleet, AuthorityValidity);
        using X509Certificate2 server = _maker.MakeServer(authority, fleet, serverNames, MemberValidity);
        folder.WriteAuthority(authority);
        folder.WriteServer(server);
        FleetFileItem member = IssueFrom(folder, authority, identity, MemberValidity);
        folder.WriteConfig(Config(fleet, serverNames[0], $"operators/{caller}"));
        return
        [
            FleetFileItem.From("ca", folder.AuthorityCertificate, folder.AuthorityKey, "", authority),
            FleetFileItem.From("server", folder.ServerCertificate, folder.ServerKey, string.Join(",", serverNames), server),
            member,
        ];
    }

    /// <summary>A client certificate of the fleet whose CA is in the folder.</summary>
    /// <exception cref="CtlException">No CA, the CA expired, the files exist.</exception>
    public FleetFileItem Issue(FleetFolder folder, FleetRole role, string name, TimeSpan validity, bool force)
    {
        using X509Certificate2 authority = folder.LoadAuthority();
        if (time.GetUtcNow() >= authority.NotAfter) throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"the fleet's CA expired on {authority.NotAfter:yyyy-MM-dd}", "Make a new fleet: nodectl fleet init.");
        FleetIdentity identity = new(FleetOf(authority), role, name);
        FleetFolder.RefuseOverwrite(force, folder.Member(identity) + ".crt", folder.Member(identity) + ".key");
        return IssueFrom(folder, authority, identity, validity);
    }

    private FleetFileItem IssueFrom(FleetFolder folder, X509Certificate2 authority, FleetIdentity identity, TimeSpan validity)
    {
        using X509Certificate2 certificate = _maker.MakeClient(authority, identity, validity);
        folder.WriteMember(identity, certificate);
        return FleetFileItem.From(FleetRoles.Word(identity.Role), folder.Member(identity) + ".crt", folder.Member(identity) + ".key", identity.ToUri(), certificate);
    }

    private static string FleetOf(X509Certificate2 authority)
    {
        string subject = authority.Subject;
        string name = subject.StartsWith(FleetNamePrefix, StringComparison.Ordinal) && subject.EndsWith(FleetNameSuffix, StringComparison.Ordinal)
            ? subject[FleetNamePrefix.Length..^FleetNameSuffix.Length] : "";
        return FleetIdentity.IsFleetName(name) ? name : throw new CtlException(ExitCode.Failure, "cannot issue a certificate", $"the CA '{subject}' was not made by 'nodectl fleet init'");
    }

    private static string Config(string fleet, string server, string identity)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("current", fleet);
            json.WriteStartObject("profiles");
            json.WriteStartObject(fleet);
            json.WriteString("server", "https://" + new Connection.ServerAddress(server, Connection.ServerAddress.DefaultPort, Plaintext: false).Authority);
            json.WriteString("ca", "ca.crt");
            json.WriteString("cert", identity + ".crt");
            json.WriteString("key", identity + ".key");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }
}
