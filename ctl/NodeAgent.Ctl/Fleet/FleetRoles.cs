using NodeAgent.Contracts.Identity;

namespace NodeAgent.Ctl.Fleet;

/// <summary>The roles that certificates are issued for, by the words of the command line.</summary>
internal static class FleetRoles
{
    public static readonly IReadOnlyList<string> Names = ["agent", "viewer", "operator", "admin"];

    public static bool TryParse(string text, out FleetRole role)
    {
        role = text switch
        {
            "agent" => FleetRole.Agent,
            "viewer" => FleetRole.Viewer,
            "operator" => FleetRole.Operator,
            "admin" => FleetRole.Admin,
            _ => FleetRole.None,
        };
        return role != FleetRole.None;
    }

    public static string Word(FleetRole role) => role.ToString().ToLowerInvariant();
}
