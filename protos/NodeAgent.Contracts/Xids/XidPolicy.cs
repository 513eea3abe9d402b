using System.Text.Json;

namespace NodeAgent.Contracts.Xids;

/// <summary>What is to be done about one XID, and who says so.</summary>
/// <param name="Action">One of <see cref="XidCatalogue.Actions"/>, or one of the driver's recovery actions.</param>
/// <param name="Severity">info, warning, error or critical.</param>
/// <param name="Source">driver, policy, or catalogue.</param>
public readonly record struct XidVerdict(string Action, string Severity, string Source);

/// <summary>
/// Who is right about an XID: the driver where it asks for something (it knows this GPU's state), then the site's own file, then the
/// catalogue. The file is <c>{"xids": {"63": {"action": "ignore", "severity": "info"}}}</c>; either of the two may be left out.
/// </summary>
public sealed class XidPolicy
{
    private static readonly string[] Severities = ["info", "warning", "error", "critical"];

    private readonly XidCatalogue _catalogue;
    private readonly Dictionary<int, (string? Action, string? Severity)> _own;

    private XidPolicy(XidCatalogue catalogue, Dictionary<int, (string? Action, string? Severity)> own)
    {
        _catalogue = catalogue;
        _own = own;
    }

    /// <summary>The catalogue and nothing else.</summary>
    public static XidPolicy Default { get; } = new(XidCatalogue.Embedded, []);

    /// <summary>The catalogue with a site's own rules. Null: the text is no such file; <paramref name="problem"/> says where.</summary>
    public static XidPolicy? TryParse(string json, out string problem)
    {
        problem = "";
        Dictionary<int, (string?, string?)> own = [];
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("xids", out JsonElement xids) || xids.ValueKind != JsonValueKind.Object)
            {
                problem = "there is no object \"xids\" in it";
                return null;
            }

            foreach (JsonProperty rule in xids.EnumerateObject())
            {
                problem = Read(rule, own);
                if (problem.Length > 0)
                {
                    return null;
                }
            }
        }
        catch (JsonException e)
        {
            problem = e.Message;
            return null;
        }

        return new XidPolicy(XidCatalogue.Embedded, own);
    }

    /// <summary>What to do. An XID nobody knows is a warning without an action.</summary>
    /// <param name="xid">The number.</param>
    /// <param name="recoveryAction">The driver's recovery action at the time; 0: it asks for nothing; -1: it does not say.</param>
    public XidVerdict Judge(int xid, int recoveryAction = -1)
    {
        XidEntry? entry = _catalogue.Find(xid);
        (string? action, string? severity) = _own.GetValueOrDefault(xid);
        if (recoveryAction > 0)
        {
            string asked = recoveryAction < _catalogue.RecoveryActions.Count ? _catalogue.RecoveryActions[recoveryAction] : $"driver_{recoveryAction}";
            return new XidVerdict(asked, "critical", "driver");
        }

        return new XidVerdict(
            action ?? entry?.Action ?? "none_given", severity ?? entry?.Severity ?? "warning", action is null && severity is null ? "catalogue" : "policy");
    }

    private static string Read(JsonProperty rule, Dictionary<int, (string?, string?)> own)
    {
        if (!int.TryParse(rule.Name, out int xid) || rule.Value.ValueKind != JsonValueKind.Object)
        {
            return $"xids.{rule.Name} is not an XID with an object";
        }

        string? action = null;
        string? severity = null;
        foreach (JsonProperty setting in rule.Value.EnumerateObject())
        {
            string? value = setting.Value.ValueKind == JsonValueKind.String ? setting.Value.GetString() : null;
            switch (setting.Name)
            {
                case "action" when value is not null && XidCatalogue.Embedded.Actions.ContainsKey(value):
                    action = value;
                    break;
                case "severity" when value is not null && Severities.Contains(value):
                    severity = value;
                    break;
                case "action":
                    return $"xids.{rule.Name}.action is none of {string.Join(", ", XidCatalogue.Embedded.Actions.Keys)}";
                case "severity":
                    return $"xids.{rule.Name}.severity is none of {string.Join(", ", Severities)}";
                default:
                    return $"xids.{rule.Name}.{setting.Name} is not known";
            }
        }

        own[xid] = (action, severity);
        return "";
    }
}
