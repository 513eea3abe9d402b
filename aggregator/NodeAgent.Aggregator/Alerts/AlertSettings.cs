using NodeAgent.Hosting.Configuration;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>Who is told what is wrong.</summary>
internal sealed class AlertSettings
{
    internal Uri? Alertmanager { get; set; }

    internal string? Webhook { get; set; }

    internal string? WebhookSecretFile { get; set; }

    internal TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(15);

    internal TimeSpan RepeatInterval { get; set; } = TimeSpan.FromMinutes(1);

    internal TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    internal TimeSpan AgentSilentAfter { get; set; } = TimeSpan.FromMinutes(1);

    internal TimeSpan AgentForgottenAfter { get; set; } = TimeSpan.FromDays(7);

    internal TimeSpan SinkLag { get; set; } = TimeSpan.FromMinutes(5);

    internal string? RunbookRoot { get; set; }

    internal static SettingCatalog<AlertSettings> Settings { get; } = SettingCatalog.Define<AlertSettings>(s => s
        .Endpoint("alertmanager", o => o.Alertmanager, (o, v) => o.Alertmanager = v, ["http", "https"],
            "An Alertmanager, by its API v2: it groups, silences and tells people. Null: none.", example: "http://alertmanager.example:9093")
        .OptionalText("webhook", o => o.Webhook, (o, v) => o.Webhook = v,
            "An address that is told what begins and ends, in the form of Alertmanager's webhooks (version 4). It groups by name and knows no silences. Null: none.",
            example: "https://hooks.example/nodeagent")
        .OptionalFilePath("webhook_secret_file", o => o.WebhookSecretFile, (o, v) => o.WebhookSecretFile = v,
            "File with the secret that signs webhooks: NodeAgent-Signature is sha256= and the hexadecimal HMAC-SHA256 of NodeAgent-Timestamp, a dot and the body. At least 16 bytes; blanks at the end do not count.",
            example: "/etc/nodeagent/webhook.secret")
        .Duration("interval", o => o.Interval, (o, v) => o.Interval = v, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), "How often is looked at what is wrong.")
        .Duration("repeat_interval", o => o.RepeatInterval, (o, v) => o.RepeatInterval = v, TimeSpan.FromSeconds(5), TimeSpan.FromHours(1),
            "How often Alertmanager is told of what lasts. It takes an alert for over that it has not heard of for four times as long.")
        .Duration("timeout", o => o.Timeout, (o, v) => o.Timeout = v, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2), "An answer that takes longer counts as none; it is sent again.")
        .Duration("agent_silent_after", o => o.AgentSilentAfter, (o, v) => o.AgentSilentAfter = v, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1),
            "An agent that has sent nothing for so long is an alert.")
        .Duration("agent_forgotten_after", o => o.AgentForgottenAfter, (o, v) => o.AgentForgottenAfter = v, TimeSpan.FromHours(1), TimeSpan.FromDays(365),
            "One that has sent nothing for so long is no alert any more: its host is gone for good.")
        .Duration("sink_lag", o => o.SinkLag, (o, v) => o.SinkLag = v, TimeSpan.FromSeconds(10), TimeSpan.FromDays(1), "Another engine that lags behind so far is an alert.")
        .OptionalText("runbook_root", o => o.RunbookRoot, (o, v) => o.RunbookRoot = v,
            "Where docs/ can be read, put before the runbooks' paths in alerts. Null: alerts name the path alone.", example: "https://wiki.example/nodeagent/")
        .Rule(["webhook"], o => o.Webhook is null || (Uri.TryCreate(o.Webhook, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0)
            ? null : $"'{o.Webhook}' is no address such as https://host.example/path (and holds no user)")
        .Rule(["webhook_secret_file"], o => o.Webhook is null && o.WebhookSecretFile is not null ? "it goes with webhook" : null));
}
