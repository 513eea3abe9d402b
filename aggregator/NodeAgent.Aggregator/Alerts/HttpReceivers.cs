using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>An Alertmanager, by its API v2. It forgets what it does not hear of, so what lasts is repeated; what ended says when.</summary>
internal sealed class AlertmanagerReceiver(HttpClient http, AlertSettings settings, TimeProvider time) : IAlertReceiver
{
    // Four repeats may be lost before an alert that lasts is taken for over: a restart of this aggregator takes less.
    private const int RepeatsThatMayBeMissed = 4;

    private readonly Uri _address = new(settings.Alertmanager!, "/api/v2/alerts");

    public string Name => "alertmanager";

    public bool WantsRepeats => true;

    public Task<string?> SendAsync(IReadOnlyList<Notice> notices, CancellationToken cancellation)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        byte[] body = NoticeJson.ForApi(notices, now, (long)settings.RepeatInterval.TotalMilliseconds * RepeatsThatMayBeMissed, settings.RunbookRoot ?? "");
        return AlertHttp.PostAsync(http, new HttpRequestMessage(HttpMethod.Post, _address), body, cancellation);
    }
}

/// <summary>Any address: one signed request for each alert name among the notices.</summary>
internal sealed class WebhookReceiver(HttpClient http, AlertSettings settings, byte[]? secret, TimeProvider time) : IAlertReceiver
{
    internal const string SignatureHeader = "NodeAgent-Signature";
    internal const string TimestampHeader = "NodeAgent-Timestamp";

    private readonly Uri _address = new(settings.Webhook!);

    public string Name => "webhook";

    public bool WantsRepeats => false;

    public async Task<string?> SendAsync(IReadOnlyList<Notice> notices, CancellationToken cancellation)
    {
        foreach (IGrouping<string, Notice> group in notices.GroupBy(notice => notice.Alert.Name, StringComparer.Ordinal))
        {
            byte[] body = NoticeJson.ForWebhook("nodeagent", [.. group], settings.RunbookRoot ?? "");
            HttpRequestMessage request = new(HttpMethod.Post, _address);
            string moment = time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
            request.Headers.Add(TimestampHeader, moment);
            if (secret is not null)
            {
                request.Headers.Add(SignatureHeader, Sign(secret, moment, body));
            }

            if (await AlertHttp.PostAsync(http, request, body, cancellation).ConfigureAwait(false) is { } refusal)
            {
                return refusal; // all of them are sent again: at least once, and a receiver knows an alert by its labels and its start
            }
        }

        return null;
    }

    /// <summary>The moment is signed too, so that a receiver can refuse what somebody recorded and plays back.</summary>
    internal static string Sign(byte[] secret, string moment, byte[] body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(secret.AsSpan(), [.. Encoding.ASCII.GetBytes(moment + "."), .. body]));
}

/// <summary>One request; every way that the world can fail it becomes a sentence.</summary>
internal static class AlertHttp
{
    private const int MaxReason = 200;

    internal static async Task<string?> PostAsync(HttpClient http, HttpRequestMessage request, byte[] body, CancellationToken cancellation)
    {
        using HttpRequestMessage own = request;
        own.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using HttpResponseMessage response = await http.SendAsync(own, HttpCompletionOption.ResponseContentRead, cancellation).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                return null;
            }

            string reason = (await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false)).ReplaceLineEndings(" ").Trim();
            return $"{(int)response.StatusCode} {(reason.Length > MaxReason ? reason[..MaxReason] : reason)}";
        }
        catch (HttpRequestException failed)
        {
            return failed.Message;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"no answer within {http.Timeout.TotalSeconds:0} s";
        }
    }

    /// <summary>Straight to the receiver: no proxy of the environment, no redirect, and an answer of at most 64 KiB.</summary>
    internal static HttpClient Client(AlertSettings settings) =>
        new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(10) })
        {
            Timeout = settings.Timeout,
            MaxResponseContentBufferSize = 64 * 1024,
        };
}
