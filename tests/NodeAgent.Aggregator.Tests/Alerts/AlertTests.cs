using System.Net;
using System.Net.Http;
using System.Text;
using System.Text.Json;
using NodeAgent.Aggregator.Alerts;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Testing;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Alerts;

public sealed class AlertTests : IDisposable
{
    private static readonly Alert Silent = Make("AgentSilent", ("node", "gpu-01"));

    private readonly SimulatedTime _time = new();
    private readonly CapturingLogger _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Look_AnAlertThatComesAndGoes_IsOneBeginningAndOneEnd()
    {
        AlertBoard board = new(10);

        Notice began = Assert.Single(board.Look([Silent, Silent], 1_000));
        Assert.Empty(board.Look([Silent with { Description = "another" }], 2_000));
        Notice ended = Assert.Single(board.Look([], 3_000));

        Assert.Equal((1_000L, (long?)null), (began.StartsAtUnixMs, began.EndedAtUnixMs));
        Assert.Equal((1_000L, (long?)3_000), (ended.StartsAtUnixMs, ended.EndedAtUnixMs));
        Assert.Equal("another", ended.Alert.Description);
        Assert.Equal(0, board.Firing);
    }

    [Fact]
    public void Look_MoreThanThereIsRoomFor_KeepsTheFirstAndCountsTheOthers()
    {
        AlertBoard board = new(2);

        board.Look([Make("A"), Make("B"), Make("C")], 1);

        Assert.Equal((2, 1L), (board.Firing, board.LeftOut));
    }

    [Fact]
    public async Task Send_WhileTheReceiverIsAway_KeepsTheNewestOfEachAlert()
    {
        ScriptedReceiver receiver = new() { Refusal = "500 no" };
        using AlertOutbox outbox = new(receiver, _time, new Random(1), _log);
        outbox.Add([new Notice(Silent, 1, null)]);
        Assert.False(await outbox.SendOnceAsync(default));
        outbox.Add([new Notice(Silent, 1, 5)]);
        Assert.False(await outbox.SendOnceAsync(default));

        receiver.Refusal = null;
        Assert.True(await outbox.SendOnceAsync(default));

        Assert.Equal(5, Assert.Single(receiver.Taken).EndedAtUnixMs);
        Assert.Equal((1L, 2L, 0L, 0), (outbox.Sent, outbox.Failures, outbox.Dropped, outbox.Pending));
        Assert.Single(_log.Named("AlertsNotTaken")); // the first, and its end
        Assert.Single(_log.Named("AlertsTakenAgain"));
    }

    [Fact]
    public async Task Send_OfWhatIsReplacedOnItsWay_SendsTheReplacementNext()
    {
        ScriptedReceiver receiver = new();
        using AlertOutbox outbox = new(receiver, _time, new Random(1), _log);
        outbox.Add([new Notice(Silent, 1, null)]);
        receiver.OnSend = () => outbox.Add([new Notice(Silent, 1, 9)]);
        await outbox.SendOnceAsync(default);
        receiver.OnSend = null;
        Assert.Equal(1, outbox.Pending);

        await outbox.SendOnceAsync(default);

        Assert.Equal([null, 9L], receiver.Taken.Select(notice => notice.EndedAtUnixMs));
    }

    [Fact]
    public void Add_WithoutRoom_DropsAndCounts()
    {
        using AlertOutbox outbox = new(new ScriptedReceiver(), _time, new Random(1), _log);

        outbox.Add(Enumerable.Range(0, AlertOutbox.MaxPending + 3).Select(i => new Notice(Make($"A{i}"), 1, null)));

        Assert.Equal((AlertOutbox.MaxPending, 3L), (outbox.Pending, outbox.Dropped));
    }

    [Fact]
    public async Task Webhook_WithASecret_SignsMomentAndBody()
    {
        string file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "0123456789abcdef-secret\n", TestContext.Current.CancellationToken);
        ScriptedHttp http = new();
        AlertSettings settings = new() { Webhook = "https://hooks.example/x", WebhookSecretFile = file };
        await using AlertService service = new(settings, _time, new Random(1), _log, http);
        service.Add(new FixedSource(Silent));
        service.Look();

        Assert.True(await service.Outboxes[0].SendOnceAsync(default));

        (HttpRequestMessage request, byte[] body) = Assert.Single(http.Requests);
        string moment = Assert.Single(request.Headers.GetValues(WebhookReceiver.TimestampHeader));
        string expected = WebhookReceiver.Sign(Encoding.UTF8.GetBytes("0123456789abcdef-secret"), moment, body);
        Assert.Equal(expected, Assert.Single(request.Headers.GetValues(WebhookReceiver.SignatureHeader)));
        Assert.NotEqual(expected, WebhookReceiver.Sign(Encoding.UTF8.GetBytes("0123456789abcdef-secret"), moment + "1", body));
        using JsonDocument json = JsonDocument.Parse(body);
        Assert.Equal("firing", json.RootElement.GetProperty("status").GetString());
        Assert.Equal("gpu-01", json.RootElement.GetProperty("alerts")[0].GetProperty("labels").GetProperty("node").GetString());
        File.Delete(file);
    }

    // RFC 4231, test case 2, with our own framing left out: the primitive is the one that receivers have.
    [Fact]
    public void Sign_OfKnownInput_IsTheHexadecimalHmac() => Assert.Equal(
        "sha256=" + Convert.ToHexStringLower(System.Security.Cryptography.HMACSHA256.HashData("Jefe"u8, "7.what do ya want for nothing?"u8)),
        WebhookReceiver.Sign("Jefe"u8.ToArray(), "7", "what do ya want for nothing?"u8.ToArray()));

    [Fact]
    public async Task Alertmanager_WhatLasts_IsRepeatedAndLivesFourRepeats()
    {
        ScriptedHttp http = new();
        AlertSettings settings = new() { Alertmanager = new Uri("http://am.example:9093"), RepeatInterval = TimeSpan.FromMinutes(1) };
        await using AlertService service = new(settings, _time, new Random(1), _log, http);
        FixedSource source = new(Silent);
        service.Add(source);
        service.Look();
        await service.Outboxes[0].SendOnceAsync(default);
        _time.Advance(TimeSpan.FromSeconds(15));
        service.Look();
        await service.Outboxes[0].SendOnceAsync(default); // nothing new, not yet time to repeat
        _time.Advance(TimeSpan.FromSeconds(50));
        service.Look();
        await service.Outboxes[0].SendOnceAsync(default);
        source.Alerts = [];
        service.Look();
        await service.Outboxes[0].SendOnceAsync(default);

        Assert.Equal(3, http.Requests.Count);
        DateTimeOffset[] starts = [.. http.Requests.Select(request => Field(request.Body, "startsAt"))];
        DateTimeOffset[] ends = [.. http.Requests.Select(request => Field(request.Body, "endsAt"))];
        Assert.Equal(starts[0], starts[2]);
        Assert.Equal(TimeSpan.FromMinutes(4), ends[0] - starts[0]);
        Assert.Equal(_time.GetUtcNow().ToUnixTimeMilliseconds(), ends[2].ToUnixTimeMilliseconds());
    }

    [Theory]
    [InlineData(30, 3_600, false)]
    [InlineData(61, 3_600, true)]
    [InlineData(8 * 86_400, 30 * 86_400, false)] // gone for good
    [InlineData(600, 20, false)] // this aggregator has only just come back
    public void SilentAgents_BySilenceAndOwnAge_AreAlerts(int silentSeconds, int upSeconds, bool isAlert)
    {
        const long Now = 1_790_000_000_000;
        FleetRegistry fleet = new();
        fleet.GetOrAdd("gpu-01", Now).LastReceivedUnixMs = Now - (silentSeconds * 1000L);
        OwnConditions own = new(fleet, () => new GetStatusResponse { StartedUnixMs = Now - (upSeconds * 1000L) }, () => (50, 100), new AlertSettings());

        Assert.Equal(isAlert ? ["AgentSilent"] : [], own.Active(Now).Select(alert => alert.Name));
    }

    [Fact]
    public void OwnConditions_OfEverythingWrong_NameEach()
    {
        GetStatusResponse status = new()
        {
            Log = new() { Healthy = false, Bytes = 95, LimitBytes = 100 },
            Storage = new() { Healthy = false, QuarantinedSegments = 2 },
            Sink = new() { Url = "http://x", LagMs = 3_600_000 },
        };
        OwnConditions own = new(new FleetRegistry(), () => status, () => (1, 100), new AlertSettings());

        Assert.Equal(
            ["AggregatorDiskLow", "AggregatorLogFails", "AggregatorLogAlmostFull", "AggregatorStoreFails", "AggregatorSegmentsDamaged", "SinkLagging"],
            own.Active(1).Select(alert => alert.Name));
    }

    private static DateTimeOffset Field(byte[] body, string name)
    {
        using JsonDocument json = JsonDocument.Parse(body);
        return json.RootElement[0].GetProperty(name).GetDateTimeOffset();
    }

    private static Alert Make(string name, params (string Name, string Value)[] labels) =>
        new(name, AlertSeverity.Critical, labels.ToDictionary(label => label.Name, label => label.Value), "summary", "description");

    private sealed class FixedSource(params Alert[] alerts) : IAlertSource
    {
        internal Alert[] Alerts { get; set; } = alerts;

        public IEnumerable<Alert> Active(long nowUnixMs) => Alerts;
    }

    private sealed class ScriptedReceiver : IAlertReceiver
    {
        internal string? Refusal { get; set; }

        internal Action? OnSend { get; set; }

        internal List<Notice> Taken { get; } = [];

        public string Name => "scripted";

        public bool WantsRepeats => false;

        public Task<string?> SendAsync(IReadOnlyList<Notice> notices, CancellationToken cancellation)
        {
            OnSend?.Invoke();
            if (Refusal is null)
            {
                Taken.AddRange(notices);
            }

            return Task.FromResult(Refusal);
        }
    }

    private sealed class ScriptedHttp : HttpMessageHandler
    {
        internal List<(HttpRequestMessage Request, byte[] Body)> Requests { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Requests.Add((request, await request.Content!.ReadAsByteArrayAsync(cancellationToken)));
            return new HttpResponseMessage(HttpStatusCode.OK);
        }
    }
}
