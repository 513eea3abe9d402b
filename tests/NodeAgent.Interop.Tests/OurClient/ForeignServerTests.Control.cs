using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using NodeAgent.Interop.Contract;
using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Interop.Tests.Hosting;
using NodeAgent.Rpc;
using static NodeAgent.Interop.Tests.OurClient.Requests;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>Metadata, statuses, deadlines, cancellation, TLS: how calls are steered and how they fail.</summary>
public abstract partial class ForeignServerTests<TStack>
{
    private const string SpecialMessage = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n";
    private const string EchoInitial = "x-grpc-test-echo-initial";
    private const string EchoTrailing = "x-grpc-test-echo-trailing-bin";

    // Longer than any test waits: a call that depends on it has not been answered.
    private static readonly TimeSpan Never = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task CustomMetadata_UnaryAndDuplex_ComesBack()
    {
        byte[] everyByte = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        Metadata sent = new() { { EchoInitial, "test_initial_metadata_value" }, { EchoTrailing, everyByte } };

        using AsyncUnaryCall<SimpleResponse> unary = _client.UnaryCallAsync(Simple(314159, 271828), Bounded.WithHeaders(sent));
        ExpectZeros(314159, (await unary).Payload);
        ExpectEcho(await unary.ResponseHeadersAsync, unary.GetTrailers());

        using var duplex = _client.FullDuplexCall(Bounded.WithHeaders(sent));
        await duplex.RequestStream.WriteAsync(Output(314159).With(271828));
        await duplex.RequestStream.CompleteAsync();
        Assert.Equal([314159], await SizesAsync(duplex.ResponseStream));
        ExpectEcho(await duplex.ResponseHeadersAsync, duplex.GetTrailers());

        void ExpectEcho(Metadata initial, Metadata trailing)
        {
            Assert.Equal("test_initial_metadata_value", initial.GetValue(EchoInitial));
            Assert.Equal(everyByte, trailing.GetValueBytes(EchoTrailing));
        }
    }

    [Fact]
    public async Task RepeatedMetadata_EveryValueOfAKey_ComesBackInOrder()
    {
        string[] texts = ["one", "two", "three"];
        byte[][] blobs = _fixture.Stack.ServerSplitsBinaryValues ? [[], [0], [1, 2, 3, 0xff]] : [[1, 2, 3, 0xff]];
        Metadata sent = new() { { "x-interop-echo-repeated", "1" } };
        Array.ForEach(texts, text => sent.Add("x-interop-repeated", text));
        Array.ForEach(blobs, blob => sent.Add("x-interop-repeated-bin", blob));

        using AsyncUnaryCall<Empty> call = _client.EmptyCallAsync(new Empty(), Bounded.WithHeaders(sent));
        await call;

        // Text values may be joined on the way, as HTTP allows; binary ones may not stay so.
        Assert.Equal(texts, call.GetTrailers().GetAll("x-interop-repeated").SelectMany(entry => entry.Value.Split(',', StringSplitOptions.TrimEntries)));
        Assert.Equal(blobs, call.GetTrailers().GetAll("x-interop-repeated-bin").Select(entry => entry.ValueBytes));
    }

    [Fact]
    public async Task CustomMetadata_OfFailedCall_ComesBackToo()
    {
        Metadata sent = new() { { EchoInitial, "seen" }, { EchoTrailing, [0x00, 0xff] } };
        SimpleRequest request = Simple(status: new EchoStatus { Code = 9, Message = "not now" });
        using AsyncUnaryCall<SimpleResponse> call = _client.UnaryCallAsync(request, Bounded.WithHeaders(sent));
        RpcException error = await ExpectAsync(StatusCode.FailedPrecondition, call.ResponseAsync, "not now");
        Assert.Equal("seen", (await call.ResponseHeadersAsync).GetValue(EchoInitial));
        Assert.Equal([0x00, 0xff], error.Trailers.GetValueBytes(EchoTrailing));
    }

    [Fact]
    public async Task StatusCodeAndMessage_UnaryAndDuplex_Arrive()
    {
        EchoStatus status = new() { Code = 2, Message = "test status message" };
        await ExpectAsync(StatusCode.Unknown, _client.UnaryCallAsync(Simple(status: status), Bounded).ResponseAsync, status.Message);

        using var duplex = _client.FullDuplexCall(Bounded);
        await SendAsync(duplex.RequestStream, [Output().With(status)]);
        await ExpectAsync(StatusCode.Unknown, SizesAsync(duplex.ResponseStream), status.Message);
    }

    [Fact]
    public Task SpecialStatusMessage_TabsNewlinesUnicode_ArrivesUnchanged()
    {
        SimpleRequest request = Simple(status: new EchoStatus { Code = 2, Message = SpecialMessage });
        return ExpectAsync(StatusCode.Unknown, _client.UnaryCallAsync(request, Bounded).ResponseAsync, SpecialMessage);
    }

    [Theory]
    [MemberData(nameof(ErrorCodes.All), MemberType = typeof(ErrorCodes))]
    public async Task Status_BeforeAnyMessage_Arrives(int code)
    {
        EchoStatus status = new() { Code = code, Message = $"code {code} of 100% ü" };
        await ExpectAsync((StatusCode)code, _client.UnaryCallAsync(Simple(status: status), Bounded).ResponseAsync, status.Message);
        using var stream = _client.StreamingOutputCall(Output().With(status), Bounded);
        await ExpectAsync((StatusCode)code, SizesAsync(stream.ResponseStream), status.Message);
    }

    [Theory]
    [MemberData(nameof(ErrorCodes.All), MemberType = typeof(ErrorCodes))]
    public async Task Status_AfterMessages_ArrivesBehindThem(int code)
    {
        using var call = _client.FullDuplexCall(Bounded);
        await call.RequestStream.WriteAsync(Output(17, 0));
        ExpectZeros(17, (await NextAsync(call.ResponseStream)).Payload);
        Assert.Equal(0, (await NextAsync(call.ResponseStream)).Payload?.Body.Length ?? 0);
        await call.RequestStream.WriteAsync(Output().With(new EchoStatus { Code = code, Message = $"after {code}" }));
        await ExpectAsync((StatusCode)code, SizesAsync(call.ResponseStream), $"after {code}");
        Assert.Equal((StatusCode)code, call.GetStatus().StatusCode);
    }

    [Fact]
    public Task UnimplementedMethod_IsUnimplemented() =>
        ExpectAsync(StatusCode.Unimplemented, _client.UnimplementedCallAsync(new Empty(), Bounded).ResponseAsync);

    [Fact]
    public Task UnimplementedService_IsUnimplemented()
    {
        UnimplementedService.UnimplementedServiceClient client = new(_fixture.Channel);
        return ExpectAsync(StatusCode.Unimplemented, client.UnimplementedCallAsync(new Empty(), Bounded).ResponseAsync);
    }

    [Fact]
    public async Task CancelAfterBegin_ClientStreaming_IsCancelled()
    {
        using CancellationTokenSource cancel = new();
        using var call = _client.StreamingInputCall(Bounded.WithCancellationToken(cancel.Token));
        await cancel.CancelAsync();
        await ExpectAsync(StatusCode.Cancelled, call.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task CancelAfterFirstResponse_Duplex_IsCancelledOnBothSides()
    {
        string id = Guid.NewGuid().ToString("N");
        using CancellationTokenSource cancel = new();
        using var call = _client.FullDuplexCall(Bounded.WithHeaders(CallId(id)).WithCancellationToken(cancel.Token));
        await call.RequestStream.WriteAsync(Output(31415).With(27182));
        ExpectZeros(31415, (await NextAsync(call.ResponseStream)).Payload);
        await cancel.CancelAsync();
        await ExpectAsync(StatusCode.Cancelled, call.ResponseStream.MoveNext());
        await _fixture.Plain.WaitForEndOfCallAsync(id);
    }

    [Fact]
    public async Task DisposeAfterFirstResponse_Duplex_ServerSeesTheEnd()
    {
        string id = Guid.NewGuid().ToString("N");
        using (var call = _client.FullDuplexCall(Bounded.WithHeaders(CallId(id))))
        {
            await call.RequestStream.WriteAsync(Output(5));
            await NextAsync(call.ResponseStream);
        }

        await _fixture.Plain.WaitForEndOfCallAsync(id);
    }

    [Fact]
    public async Task TimeoutOnSleepingServer_Duplex_DeadlineExceeded()
    {
        using var call = _client.FullDuplexCall(Within(TimeSpan.FromMilliseconds(1)));
        try
        {
            await call.RequestStream.WriteAsync(Output().With(27182));
        }
        catch (RpcException error)
        {
            // The deadline was faster than the write, which is also what the case is about.
            Assert.Equal(StatusCode.DeadlineExceeded, error.StatusCode);
        }

        await ExpectAsync(StatusCode.DeadlineExceeded, call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task Deadline_BeforeFirstMessage_DeadlineExceededOnBothSides()
    {
        string id = Guid.NewGuid().ToString("N");
        using var call = _client.StreamingOutputCall(Output(Never, 1), Within(TimeSpan.FromMilliseconds(300)).WithHeaders(CallId(id)));
        await ExpectAsync(StatusCode.DeadlineExceeded, call.ResponseStream.MoveNext());
        await _fixture.Plain.WaitForEndOfCallAsync(id);
    }

    [Fact]
    public async Task Deadline_AfterMessage_MessageThenDeadlineExceeded()
    {
        string id = Guid.NewGuid().ToString("N");
        StreamingOutputCallRequest request = Output(5);
        request.ResponseParameters.AddRange(Output(Never, 6).ResponseParameters);
        using var call = _client.StreamingOutputCall(request, Within(TimeSpan.FromSeconds(1)).WithHeaders(CallId(id)));
        ExpectZeros(5, (await NextAsync(call.ResponseStream)).Payload);
        await ExpectAsync(StatusCode.DeadlineExceeded, call.ResponseStream.MoveNext());
        await _fixture.Plain.WaitForEndOfCallAsync(id);
    }

    [Fact]
    public Task Deadline_AlreadyPast_DeadlineExceeded() =>
        ExpectAsync(StatusCode.DeadlineExceeded, _client.EmptyCallAsync(new Empty(), Within(TimeSpan.FromSeconds(-1))).ResponseAsync);

    [Theory]
    [InlineData(0.9)]
    [InlineData(25)]
    [InlineData(7200)]
    [InlineData(1_000_000)]
    public async Task Deadline_OfClient_ReachesServer(double seconds)
    {
        using AsyncUnaryCall<Empty> call = _client.EmptyCallAsync(
            new Empty(), Within(TimeSpan.FromSeconds(seconds)).WithHeaders(new Metadata { { "x-interop-echo-deadline", "1" } }));
        await call;
        double remaining = double.Parse(call.GetTrailers().GetValue("x-interop-time-remaining-ms")!);
        Assert.InRange(remaining, seconds * 1000 * 0.5, seconds * 1000 * 1.01);
    }

    [Fact]
    public async Task NoDeadline_OfClient_ServerSeesNone()
    {
        using AsyncUnaryCall<Empty> call = _client.EmptyCallAsync(new Empty(), new Metadata { { "x-interop-echo-deadline", "1" } });
        await call.ResponseAsync.WaitAsync(Bound);
        Assert.Equal("none", call.GetTrailers().GetValue("x-interop-time-remaining-ms"));
    }

    [Fact]
    public async Task MutualTls_WithOurCertificate_Passes()
    {
        TestService.TestServiceClient client = _fixture.OpenSecure(_fixture.Certificates.Client);
        ExpectZeros(314159, (await client.UnaryCallAsync(Simple(314159, 271828), Bounded)).Payload);
        int[] sizes = [31415, 9, 2653, 58979];
        using var call = client.StreamingOutputCall(Output(sizes), Bounded);
        Assert.Equal(sizes, await SizesAsync(call.ResponseStream));
    }

    [Fact]
    public Task MutualTls_WithoutCertificate_Unavailable() => ExpectTurnedAwayAsync(_fixture.OpenSecure(null));

    [Fact]
    public Task MutualTls_WithStrangersCertificate_Unavailable() => ExpectTurnedAwayAsync(_fixture.OpenSecure(_fixture.Certificates.Stranger));

    [Fact]
    public Task Tls_ServerThatWeDoNotTrust_Unavailable() =>
        ExpectTurnedAwayAsync(_fixture.OpenSecure(_fixture.Certificates.Client, trustAuthority: false));

    [Fact]
    public Task Http_ToTlsServer_Unavailable() =>
        ExpectTurnedAwayAsync(new TestService.TestServiceClient(_fixture.Open($"http://localhost:{_fixture.Secure.Port}")));

    [Fact]
    public Task Connect_ToClosedPort_Unavailable()
    {
        int port;
        using (TcpListener closed = new(IPAddress.Loopback, 0))
        {
            closed.Start();
            port = ((IPEndPoint)closed.LocalEndpoint).Port;
        }

        return ExpectTurnedAwayAsync(new TestService.TestServiceClient(_fixture.Open($"http://localhost:{port}")));
    }

    [Fact]
    public async Task ServerIsKilled_UnderLiveStream_Unavailable()
    {
        await using ForeignServer server = await ForeignServer.StartAsync(_fixture.Stack);
        TestService.TestServiceClient client = new(_fixture.Open($"http://localhost:{server.Port}"));
        using var call = client.FullDuplexCall(Bounded);
        await call.RequestStream.WriteAsync(Output(3));
        ExpectZeros(3, (await NextAsync(call.ResponseStream)).Payload);
        server.Kill();
        await ExpectAsync(StatusCode.Unavailable, call.ResponseStream.MoveNext());
    }

    private static Metadata CallId(string id) => new() { { "x-interop-call-id", id } };

    private static CallOptions Within(TimeSpan time) => new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + time);

    private static Task<RpcException> ExpectTurnedAwayAsync(TestService.TestServiceClient client) =>
        ExpectAsync(StatusCode.Unavailable, client.EmptyCallAsync(new Empty(), Bounded).ResponseAsync);
}
