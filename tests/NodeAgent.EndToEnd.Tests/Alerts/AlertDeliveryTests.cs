using System.Net;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Alerts;

/// <summary>Alerts of the real aggregator at Debian's real Alertmanager, and at a webhook that checks the signature as a receiver would.</summary>
public sealed class AlertDeliveryTests
{
    private const string Alertmanager = "/usr/bin/prometheus-alertmanager";
    private const string Secret = "0123456789abcdef0123456789abcdef";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task AgentThatStops_IsFiringAndThenResolved_AtBothReceivers()
    {
        Assert.SkipUnless(File.Exists(Alertmanager), "prometheus-alertmanager is not installed (apt-get install prometheus-alertmanager)");
        using ScratchFolder folder = new();
        string secret = Path.Combine(folder.Path, "secret");
        await File.WriteAllTextAsync(secret, Secret + "\n");
        string configuration = Path.Combine(folder.Path, "alertmanager.yml");
        await File.WriteAllTextAsync(configuration, "route: { receiver: none, group_by: [alertname] }\nreceivers: [ { name: none } ]\n");
        int port = LocalPair.FreePort();
        using RealProcess manager = RealProcess.Start("alertmanager", Alertmanager,
            [$"--config.file={configuration}", $"--storage.path={Path.Combine(folder.Path, "am")}", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]);
        using Webhook webhook = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
        {
            Folder = folder.Path,
            AggregatorSettings =
            [
                $"alerts.alertmanager=http://127.0.0.1:{port}", $"alerts.webhook={webhook.Address}hook", $"alerts.webhook_secret_file={secret}",
                "alerts.interval=1s", "alerts.repeat_interval=5s", "alerts.agent_silent_after=10s",
                "detection.enabled=false", // what it finds on a busy machine would be alerts too
            ],
        });
        Uri alerts = new($"http://127.0.0.1:{port}/api/v2/alerts?active=true");
        using HttpClient http = new();

        // Who never sent anything is not missed.
        await Waiting.ForAsync("a first reading", Limit, async () => (await pair.CtlAsync("query", "nodeagent_ticks_total")) is { ExitCode: 0, Output: var page } && page.Contains("node-1", StringComparison.Ordinal) ? page : null);
        await pair.Agent!.StopAsync(LocalPair.StopLimit);

        string firing = await Waiting.ForAsync("a firing alert", Limit, async () => await TryGetAsync(http, alerts) is { } page && page.Contains("AgentSilent", StringComparison.Ordinal) ? page : null);
        using (JsonDocument json = JsonDocument.Parse(firing))
        {
            JsonElement labels = json.RootElement[0].GetProperty("labels");
            Assert.Equal(("node-1", "critical"), (labels.GetProperty("node").GetString(), labels.GetProperty("severity").GetString()));
        }

        await pair.StartAgentAsync();
        await Waiting.ForAsync("no firing alert", Limit, async () => await TryGetAsync(http, alerts) is { } page && !page.Contains("AgentSilent", StringComparison.Ordinal) ? page : null);
        await Waiting.ForAsync("both webhooks", Limit, () => Task.FromResult(webhook.Statuses is ["firing", "resolved"] ? "" : null));
        Assert.Empty(webhook.Forged);
    }

    private static async Task<string?> TryGetAsync(HttpClient http, Uri address)
    {
        try
        {
            return await http.GetStringAsync(address);
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Takes webhooks as somebody else would write it, from the documentation of alerts.webhook_secret_file alone.</summary>
    private sealed class Webhook : IDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly List<string> _statuses = [];

        internal Webhook()
        {
            Address = $"http://127.0.0.1:{LocalPair.FreePort()}/";
            _listener.Prefixes.Add(Address);
            _listener.Start();
            _ = Task.Run(ServeAsync);
        }

        internal string Address { get; }

        internal List<string> Forged { get; } = [];

        internal string[] Statuses
        {
            get
            {
                lock (_statuses)
                {
                    return [.. _statuses];
                }
            }
        }

        public void Dispose() => _listener.Close();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    Take(await _listener.GetContextAsync());
                }
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return; // the test has ended
            }
        }

        private void Take(HttpListenerContext context)
        {
            using MemoryStream body = new();
            context.Request.InputStream.CopyTo(body);
            byte[] signed = [.. Encoding.ASCII.GetBytes(context.Request.Headers["NodeAgent-Timestamp"] + "."), .. body.ToArray()];
            string expected = "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(Secret).AsSpan(), signed));
            if (context.Request.Headers["NodeAgent-Signature"] != expected)
            {
                Forged.Add(context.Request.Headers["NodeAgent-Signature"] ?? "none");
            }

            using JsonDocument json = JsonDocument.Parse(body.ToArray());
            lock (_statuses)
            {
                _statuses.Add(json.RootElement.GetProperty("status").GetString()!);
            }

            context.Response.StatusCode = 200;
            context.Response.Close();
        }
    }
}
