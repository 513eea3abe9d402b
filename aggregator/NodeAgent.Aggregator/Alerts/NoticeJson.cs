using System.Text.Json;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>Notices as JSON, in Alertmanager's two forms: what its API takes, and what its webhooks send.</summary>
internal static class NoticeJson
{
    /// <summary>Alertmanager's <c>POST /api/v2/alerts</c> (api/v2/openapi.yaml, postableAlerts).</summary>
    /// <param name="notices">What to tell.</param>
    /// <param name="nowUnixMs">The moment of sending.</param>
    /// <param name="lastsMs">How long it may take an alert that lasts for true without hearing again.</param>
    /// <param name="runbookRoot">Put before runbooks' paths.</param>
    internal static byte[] ForApi(IReadOnlyList<Notice> notices, long nowUnixMs, long lastsMs, string runbookRoot) => Write(json =>
    {
        json.WriteStartArray();
        foreach (Notice notice in notices)
        {
            WriteAlert(json, notice, notice.EndedAtUnixMs ?? nowUnixMs + lastsMs, runbookRoot, status: null);
        }

        json.WriteEndArray();
    });

    /// <summary>One webhook, for notices of one name (alertmanager.io/docs/alerting/configuration, webhook_config, version 4).</summary>
    internal static byte[] ForWebhook(string receiver, IReadOnlyList<Notice> group, string runbookRoot) => Write(json =>
    {
        string name = group[0].Alert.Name;
        json.WriteStartObject();
        json.WriteString("version", "4");
        json.WriteString("groupKey", $"{{}}:{{alertname=\"{name}\"}}");
        json.WriteNumber("truncatedAlerts", 0);
        json.WriteString("status", group.Any(notice => notice.EndedAtUnixMs is null) ? "firing" : "resolved");
        json.WriteString("receiver", receiver);
        WriteMap(json, "groupLabels", [KeyValuePair.Create("alertname", name)]);
        WriteMap(json, "commonLabels", [KeyValuePair.Create("alertname", name)]);
        WriteMap(json, "commonAnnotations", []);
        json.WriteString("externalURL", "");
        json.WriteStartArray("alerts");
        foreach (Notice notice in group)
        {
            WriteAlert(json, notice, notice.EndedAtUnixMs, runbookRoot, notice.EndedAtUnixMs is null ? "firing" : "resolved");
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void WriteAlert(Utf8JsonWriter json, Notice notice, long? endUnixMs, string runbookRoot, string? status)
    {
        Alert alert = notice.Alert;
        json.WriteStartObject();
        if (status is not null)
        {
            json.WriteString("status", status);
        }

        WriteMap(json, "labels",
        [
            KeyValuePair.Create("alertname", alert.Name), KeyValuePair.Create("severity", alert.Severity.ToString().ToLowerInvariant()),
            .. alert.Labels.OrderBy(label => label.Key, StringComparer.Ordinal),
        ]);
        List<KeyValuePair<string, string>> annotations = [KeyValuePair.Create("summary", alert.Summary), KeyValuePair.Create("description", alert.Description)];
        if (alert.Runbook.Length > 0)
        {
            annotations.Add(KeyValuePair.Create("runbook_url", runbookRoot + alert.Runbook));
        }

        WriteMap(json, "annotations", annotations);
        json.WriteString("startsAt", DateTimeOffset.FromUnixTimeMilliseconds(notice.StartsAtUnixMs));
        json.WriteString("endsAt", endUnixMs is { } end ? DateTimeOffset.FromUnixTimeMilliseconds(end) : default); // year 1, as Go writes "none"
        json.WriteString("generatorURL", "");
        json.WriteEndObject();
    }

    private static void WriteMap(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> map)
    {
        json.WriteStartObject(name);
        foreach ((string key, string value) in map)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream))
        {
            write(json);
        }

        return stream.ToArray();
    }
}
