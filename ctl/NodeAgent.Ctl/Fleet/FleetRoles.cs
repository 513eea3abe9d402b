using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>The roles that certificates are issued for, by the words of the command line.</summary>
internal static class FleetRoles
{
    public static readonly IReadOnlyList<string> Names = ["agent", "viewer", "operator", "approver", "admin", "scraper"];

    public static bool TryParse(string text, out FleetRole role)
    {
        role = text switch
        {
            "agent" => FleetRole.Agent,
            "viewer" => FleetRole.Viewer,
            "operator" => FleetRole.Operator,
            "approver" => FleetRole.Approver,
            "admin" => FleetRole.Admin,
            "scraper" => FleetRole.Scraper,
            _ => FleetRole.None,
        };
        return role != FleetRole.None;
    }

    public static string Word(FleetRole role) => role.ToString().ToLowerInvariant();
}
