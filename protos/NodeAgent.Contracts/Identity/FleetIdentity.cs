using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Contracts.Identity;

/// <summary>What a certificate's holder may do. Order means nothing; each RPC names the roles it takes.</summary>
public enum FleetRole
{
    /// <summary>No role: denied everywhere.</summary>
    None = 0,

    /// <summary>A host's agent: sends telemetry, asks nothing.</summary>
    Agent = 1,

    /// <summary>Reads.</summary>
    Viewer = 2,

    /// <summary>Reads, and acts on nodes.</summary>
    Operator = 3,

    /// <summary>Users, tokens, policy, CA, backups.</summary>
    Admin = 4,

    /// <summary>Reads, and agrees to what an operator wants done.</summary>
    Approver = 5,

    /// <summary>A program that fetches numbers: less than a viewer.</summary>
    Scraper = 6,
}

/// <summary>
/// Who somebody is within a fleet. A certificate carries it as its one URI name, <c>nodeagent://FLEET/ROLE/NAME</c>; nothing a
/// message says can change it.
/// </summary>
/// <param name="Fleet">The fleet's name: letters, digits, '-', '.', '_'; 1 to 63.</param>
/// <param name="Role">What its holder may do.</param>
/// <param name="Name">Node or person: as the fleet's name, 1 to 253.</param>
public sealed record FleetIdentity(string Fleet, FleetRole Role, string Name)
{
    /// <summary>Scheme of the URI name.</summary>
    public const string Scheme = "nodeagent";

    /// <summary>Metadata key by which a caller names itself (as URI) on an aggregator's plaintext address, where no certificate does.</summary>
    public const string PlaintextHeader = "nodeagent-identity";

    private const int LongestFleet = 63;
    private const int LongestName = 253; // a DNS name's limit, RFC 1035

    /// <summary>The URI name.</summary>
    public string ToUri() => $"{Scheme}://{Fleet}/{RoleName(Role)}/{Name}";

    public override string ToString() => $"{RoleName(Role)}/{Name}";

    /// <summary>Reads a URI name. False: it is none of ours, in any respect; nothing is guessed or repaired.</summary>
    public static bool TryParse(string uri, [NotNullWhen(true)] out FleetIdentity? identity)
    {
        identity = null;
        const string Prefix = Scheme + "://";
        if (!uri.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return false;
        }

        string[] parts = uri[Prefix.Length..].Split('/');
        if (parts.Length != 3 || !IsName(parts[0], LongestFleet) || !IsName(parts[2], LongestName) || ParseRole(parts[1]) is not { } role)
        {
            return false;
        }

        identity = new FleetIdentity(parts[0], role, parts[2]);
        return true;
    }

    /// <summary>Whether a text can name a fleet.</summary>
    public static bool IsFleetName(string text) => IsName(text, LongestFleet);

    /// <summary>Whether a text can name a node or a person.</summary>
    public static bool IsHolderName(string text) => IsName(text, LongestName);

    private static bool IsName(string text, int longest)
    {
        if (text.Length is 0 || text.Length > longest || text is "." or "..")
        {
            return false;
        }

        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A role's word in URIs and messages; "none" for what is no role.</summary>
    public static string RoleName(FleetRole role) => role switch
    {
        FleetRole.Agent => "agent",
        FleetRole.Viewer => "viewer",
        FleetRole.Operator => "operator",
        FleetRole.Admin => "admin",
        FleetRole.Approver => "approver",
        FleetRole.Scraper => "scraper",
        _ => "none",
    };

    /// <summary>The role of a word; null: none has it.</summary>
    public static FleetRole? ParseRole(string text) => text switch
    {
        "agent" => FleetRole.Agent,
        "viewer" => FleetRole.Viewer,
        "operator" => FleetRole.Operator,
        "admin" => FleetRole.Admin,
        "approver" => FleetRole.Approver,
        "scraper" => FleetRole.Scraper,
        _ => null,
    };
}
