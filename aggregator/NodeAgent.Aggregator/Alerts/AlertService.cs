using System.Text;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Aggregator.Alerts;

/// <summary>
/// Looks at all sources every few seconds and tells the receivers. Without a receiver it still looks, and the log says what began and ended.
/// Sources are added before it starts.
/// </summary>
internal sealed class AlertService : IAsyncDisposable
{
    /// <summary>A whole fleet that is silent, several times over.</summary>
    private const int MaxAlerts = 50_000;

    private readonly AlertSettings _settings;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpClient _http;
    private readonly List<IAlertSource> _sources = [];
    private readonly AlertBoard _board = new(MaxAlerts);
    private readonly CancellationTokenSource _stop = new();
    private Task _loop = Task.CompletedTask;
    private long _lastRepeatUnixMs;

    internal AlertService(AlertSettings settings, TimeProvider time, Random random, ILogger log, HttpMessageHandler? handler = null)
    {
        _settings = settings;
        _time = time;
        _log = log;
        _http = handler is null ? AlertHttp.Client(settings) : new HttpClient(handler) { Timeout = settings.Timeout };
        Outboxes = [.. Receivers().Select(receiver => new AlertOutbox(receiver, time, random, log))];
    }

    /// <summary>One a receiver.</summary>
    internal IReadOnlyList<AlertOutbox> Outboxes { get; }

    internal AlertBoard Board => _board;

    /// <summary>Ends when it is stopped; with a fault where it met a bug.</summary>
    internal Task Completion => _loop;

    /// <summary>Before <see cref="Start"/>.</summary>
    internal void Add(IAlertSource source) => _sources.Add(source);

    internal void Start() => _loop = Task.WhenAll([RunAsync(), .. Outboxes.Select(outbox => outbox.RunAsync(_stop.Token))]);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loop.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // a fault has been seen by whoever watches Completion
        foreach (AlertOutbox outbox in Outboxes)
        {
            outbox.Dispose();
        }

        _http.Dispose();
        _stop.Dispose();
    }

    /// <summary>One look: what began and ended is logged and queued.</summary>
    internal void Look()
    {
        long now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        List<Notice> changes = _board.Look(_sources.SelectMany(source => source.Active(now)), now);
        foreach (Notice change in changes)
        {
            if (change.EndedAtUnixMs is { } end)
            {
                _log.AlertEnded(change.Alert.Name, TimeSpan.FromMilliseconds(end - change.StartsAtUnixMs), change.Alert.Summary);
            }
            else
            {
                _log.AlertBegan(change.Alert.Name, change.Alert.Severity.ToString().ToLowerInvariant(), change.Alert.Summary);
            }
        }

        bool repeats = now - _lastRepeatUnixMs >= _settings.RepeatInterval.TotalMilliseconds;
        _lastRepeatUnixMs = repeats ? now : _lastRepeatUnixMs;
        foreach (AlertOutbox outbox in Outboxes)
        {
            if (repeats && outbox.Receiver.WantsRepeats)
            {
                outbox.Add(_board.Lasting);
            }

            outbox.Add(changes);
        }
    }

    private async Task RunAsync()
    {
        using PeriodicTimer timer = new(_settings.Interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                Look();
            }
        }
        catch (OperationCanceledException)
        {
            return; // stopping
        }
    }

    private IEnumerable<IAlertReceiver> Receivers()
    {
        if (_settings.Alertmanager is not null)
        {
            yield return new AlertmanagerReceiver(_http, _settings, _time);
        }

        if (_settings.Webhook is null)
        {
            yield break;
        }

        if (TryReadSecret(out byte[]? secret))
        {
            yield return new WebhookReceiver(_http, _settings, secret, _time);
        }
    }

    // A webhook that should be signed and cannot be is not sent: its receiver would refuse it, or worse, take it.
    private bool TryReadSecret(out byte[]? secret)
    {
        const int Shortest = 16;
        secret = null;
        if (_settings.WebhookSecretFile is not { } file)
        {
            return true;
        }

        try
        {
            secret = Encoding.UTF8.GetBytes(File.ReadAllText(file).TrimEnd());
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            _log.AlertReceiverUnusable($"alerts.webhook_secret_file: {unreadable.Message}");
            return false;
        }

        if (secret.Length < Shortest)
        {
            _log.AlertReceiverUnusable($"alerts.webhook_secret_file: {file} holds {secret.Length} bytes; {Shortest} are the least");
            return false;
        }

        return true;
    }
}
