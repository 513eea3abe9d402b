using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Interop.Tests.Hosting;

namespace NodeAgent.Interop.Tests.OurServer;

/// <summary>The cases that a foreign client runs against our server. What a case does is in tests/interop, in the client's own language.</summary>
public abstract class ForeignClientTests<TStack> : IClassFixture<ForeignClientFixture<TStack>>
    where TStack : ForeignStack, new()
{
    private readonly ForeignClientFixture<TStack> _fixture;

    protected ForeignClientTests(ForeignClientFixture<TStack> fixture)
    {
        _fixture = fixture;
        if (fixture.Missing is { } missing)
        {
            Assert.Skip(missing);
        }
    }

    [Theory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("ping_pong")]
    [InlineData("empty_stream")]
    [InlineData("empty_messages")]
    [InlineData("half_close")]
    [InlineData("custom_metadata")]
    [InlineData("repeated_metadata")]
    [InlineData("metadata_with_error")]
    [InlineData("status_code_and_message")]
    [InlineData("special_status_message")]
    [InlineData("unimplemented_method")]
    [InlineData("unimplemented_service")]
    [InlineData("cancel_after_begin")]
    [InlineData("cancel_after_first_response")]
    [InlineData("timeout_on_sleeping_server")]
    [InlineData("deadline_before_first_message")]
    [InlineData("deadline_after_message")]
    [InlineData("deadline_already_past")]
    [InlineData("deadline_reaches_server")]
    [InlineData("request_at_limit")]
    [InlineData("request_over_limit")]
    [InlineData("response_at_limit")]
    [InlineData("response_over_limit")]
    [InlineData("health_check")]
    [InlineData("health_check_unknown")]
    public async Task ForeignClient_RunsCase_Passes(string name)
    {
        await RunAsync(_fixture.Plain, name);
        Assert.Empty(_fixture.Plain.Faults);
    }

    [Theory]
    [MemberData(nameof(ErrorCodes.All), MemberType = typeof(ErrorCodes))]
    public Task ForeignClient_CallEndsWithStatusBeforeAnyMessage_SeesCodeAndMessage(int code) =>
        RunAsync(_fixture.Plain, "status_before_message", new { code });

    [Theory]
    [MemberData(nameof(ErrorCodes.All), MemberType = typeof(ErrorCodes))]
    public Task ForeignClient_CallEndsWithStatusAfterMessages_SeesThemThenCodeAndMessage(int code) =>
        RunAsync(_fixture.Plain, "status_after_message", new { code });

    [Theory]
    [InlineData("long_server_stream")]
    [InlineData("long_client_stream")]
    [InlineData("long_duplex_stream")]
    public Task ForeignClient_StreamOf5000Messages_LosesNone(string name) => RunAsync(_fixture.Plain, name, new { messages = 5000 });

    [Fact]
    public Task ForeignClient_Uploads40MiBWithPauseOf11Seconds_NoLimitCutsIt() => RunAsync(_fixture.Plain, "upload_with_pause", new { pause_s = 11 });

    [Fact]
    public Task ForeignClient_1000StreamsOpenAtOnce_AllAreServed() => RunAsync(_fixture.Plain, "concurrent_streams", new { streams = 1000 });

    [Theory]
    [InlineData("cancel_after_first_response")]
    [InlineData("deadline_before_first_message")]
    [InlineData("deadline_after_message")]
    public async Task ForeignClient_GivesUp_OurHandlerEnds(string name)
    {
        string id = Guid.NewGuid().ToString("N");
        await RunAsync(_fixture.Plain, name, new { call_id = id });
        await _fixture.Plain.Service.EndOf(id).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Theory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("client_streaming")]
    [InlineData("server_streaming")]
    [InlineData("ping_pong")]
    [InlineData("empty_stream")]
    [InlineData("empty_messages")]
    [InlineData("half_close")]
    [InlineData("custom_metadata")]
    [InlineData("request_at_limit")]
    [InlineData("request_over_limit")]
    [InlineData("response_at_limit")]
    [InlineData("response_over_limit")]
    public async Task ForeignClient_BothSidesCompress_Passes(string name)
    {
        await _fixture.RunAsync(new ForeignCase(name, $"localhost:{_fixture.Compressing.Port}") { Gzip = true });
        Assert.Empty(_fixture.Compressing.Faults);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task ForeignClient_LargeMessagesOfZeros_AreCompressedOnTheWireOnlyWhereAsked(bool requests, bool responses)
    {
        await using CountingRelay relay = new((responses ? _fixture.Compressing : _fixture.Plain).Port);
        await _fixture.RunAsync(new ForeignCase("large_unary", $"localhost:{relay.Port}") { Gzip = requests });
        WireSize.Check(requests, WireSize.LargeRequest, relay.BytesToServer);
        WireSize.Check(responses, WireSize.LargeResponse, relay.BytesToClient);
    }

    [Theory]
    [InlineData("")]
    [InlineData("grpc.testing.TestService")]
    public async Task ForeignClient_WatchesHealth_SeesEveryChange(string service)
    {
        await using InteropHost host = await InteropHost.StartAsync();
        string[] states = ["SERVING", "NOT_SERVING", "SERVING"];
        int seen = 0;
        await _fixture.RunAsync(new ForeignCase("health_watch", $"localhost:{host.Port}")
        {
            Parameters = new { service, states },
            OnProgress = _ =>
            {
                if (++seen < states.Length)
                {
                    host.SetServing(service, states[seen] == "SERVING");
                }
            },
        });
        Assert.Equal(states.Length, seen);
    }

    [Fact]
    public async Task ForeignClient_WatchesUnknownService_LearnsWhenItAppears()
    {
        await using InteropHost host = await InteropHost.StartAsync();
        await _fixture.RunAsync(new ForeignCase("health_watch", $"localhost:{host.Port}")
        {
            Parameters = new { service = "late.Service", states = new[] { "SERVICE_UNKNOWN", "SERVING" } },
            OnProgress = _ => host.SetServing("late.Service", true),
        });
    }

    [Theory]
    [InlineData("reflection_list", "v1")]
    [InlineData("reflection_list", "v1alpha")]
    [InlineData("reflection_files", "v1")]
    [InlineData("reflection_files", "v1alpha")]
    [InlineData("reflection_unknown", "v1")]
    [InlineData("reflection_unknown", "v1alpha")]
    [InlineData("reflection_call", "v1")]
    [InlineData("reflection_call", "v1alpha")]
    public Task ForeignClient_AsksReflection_LearnsTheServices(string name, string version) => RunAsync(_fixture.Plain, name, new { version });

    [Theory]
    [InlineData("empty_unary")]
    [InlineData("large_unary")]
    [InlineData("ping_pong")]
    [InlineData("custom_metadata")]
    [InlineData("request_at_limit")]
    [InlineData("response_at_limit")]
    public Task ForeignClient_WithItsCertificate_PassesOverMutualTls(string name) =>
        _fixture.RunAsync(new ForeignCase(name, $"localhost:{_fixture.Secure.Port}") { Tls = _fixture.Certificates.ClientFiles });

    [Fact]
    public Task ForeignClient_WithoutCertificate_IsTurnedAway() => ExpectUnavailableAsync(_fixture.Certificates.Anonymous);

    [Fact]
    public Task ForeignClient_WithStrangersCertificate_IsTurnedAway() => ExpectUnavailableAsync(_fixture.Certificates.StrangerFiles);

    [Fact]
    public Task ForeignClient_TrustingAnotherAuthority_DoesNotTalkToOurServer() => ExpectUnavailableAsync(_fixture.Certificates.DistrustfulFiles);

    [Fact]
    public Task ForeignClient_WithoutTls_IsTurnedAwayByTlsServer() => ExpectUnavailableAsync(null);

    [Fact]
    public async Task ForeignClient_ServerStopsUnderLiveStream_SeesUnavailable()
    {
        await using InteropHost host = await InteropHost.StartAsync();
        Task? stopping = null;
        await _fixture.RunAsync(new ForeignCase("server_goes_away", $"localhost:{host.Port}") { OnProgress = _ => stopping = host.StopAsync() });
        await stopping!.WaitAsync(TimeSpan.FromSeconds(20));
    }

    private Task RunAsync(InteropHost host, string name, object? parameters = null) =>
        _fixture.RunAsync(new ForeignCase(name, $"localhost:{host.Port}") { Parameters = parameters });

    private Task ExpectUnavailableAsync(PemFiles? tls) =>
        _fixture.RunAsync(new ForeignCase("unavailable", $"localhost:{_fixture.Secure.Port}") { Tls = tls });
}

/// <summary>python3-grpcio against our server.</summary>
public sealed class PythonClientTests(ForeignClientFixture<PythonStack> fixture) : ForeignClientTests<PythonStack>(fixture);

/// <summary>@grpc/grpc-js against our server.</summary>
public sealed class NodeClientTests(ForeignClientFixture<NodeStack> fixture) : ForeignClientTests<NodeStack>(fixture);
