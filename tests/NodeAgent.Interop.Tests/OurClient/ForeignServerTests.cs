using Grpc.Core;
using NodeAgent.Interop.Contract;
using NodeAgent.Interop.Tests.Foreign;
using NodeAgent.Interop.Tests.Hosting;
using NodeAgent.Rpc;
using static NodeAgent.Interop.Tests.OurClient.Requests;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>Our client against a server of a foreign stack: call kinds, sizes, counts, compression. How calls fail is in the other part.</summary>
public abstract partial class ForeignServerTests<TStack> : IClassFixture<ForeignServerFixture<TStack>>
    where TStack : ForeignStack, new()
{
    // Bounds every call: a hang is a failure with a status, not a test run that does not end.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private readonly ForeignServerFixture<TStack> _fixture;
    private readonly TestService.TestServiceClient _client = null!;

    protected ForeignServerTests(ForeignServerFixture<TStack> fixture)
    {
        _fixture = fixture;
        if (fixture.Stack.Missing is { } missing)
        {
            Assert.Skip(missing);
        }

        _client = new TestService.TestServiceClient(fixture.Channel);
    }

    private static CallOptions Bounded => new(deadline: TimeProvider.System.GetUtcNow().UtcDateTime + Bound);

    [Theory]
    [CompressionRows]
    public async Task EmptyUnary_ToForeignServer_Passes(bool requests, bool responses) =>
        Assert.Equal(new Empty(), await Client(requests, responses).EmptyCallAsync(new Empty(), Bounded));

    [Theory]
    [CompressionRows]
    public async Task LargeUnary_ToForeignServer_PassesWithTheBytesOnTheWireThatCompressionSays(bool requests, bool responses)
    {
        await using CountingRelay relay = new(ServerPort(responses));
        using RpcChannel channel = RpcChannel.ForAddress($"http://127.0.0.1:{relay.Port}", new RpcChannelOptions { CompressRequests = requests });
        TestService.TestServiceClient client = new(channel);

        SimpleResponse response = await client.UnaryCallAsync(Simple(WireSize.LargeResponse, WireSize.LargeRequest), Bounded);

        ExpectZeros(WireSize.LargeResponse, response.Payload);
        WireSize.Check(requests, WireSize.LargeRequest, relay.BytesToServer);
        WireSize.Check(responses, WireSize.LargeResponse, relay.BytesToClient);
    }

    [Theory]
    [CompressionRows]
    public async Task ClientStreaming_ToForeignServer_Passes(bool requests, bool responses)
    {
        int[] sizes = [27182, 8, 1828, 45904];
        using AsyncClientStreamingCall<StreamingInputCallRequest, StreamingInputCallResponse> call =
            Client(requests, responses).StreamingInputCall(Bounded);
        await SendAsync(call.RequestStream, sizes.Select(Input));
        Assert.Equal(sizes.Sum(), (await call).AggregatedPayloadSize);
    }

    [Theory]
    [CompressionRows]
    public async Task ServerStreaming_ToForeignServer_Passes(bool requests, bool responses)
    {
        int[] sizes = [31415, 9, 2653, 58979];
        using AsyncServerStreamingCall<StreamingOutputCallResponse> call =
            Client(requests, responses).StreamingOutputCall(Output(sizes), Bounded);
        Assert.Equal(sizes, await SizesAsync(call.ResponseStream));
    }

    [Theory]
    [CompressionRows]
    public async Task PingPong_ToForeignServer_Passes(bool requests, bool responses)
    {
        using var call = Client(requests, responses).FullDuplexCall(Bounded);
        foreach ((int size, int payload) in new[] { (31415, 27182), (9, 8), (2653, 1828), (58979, 45904) })
        {
            await call.RequestStream.WriteAsync(Output(size).With(payload));
            ExpectZeros(size, (await NextAsync(call.ResponseStream)).Payload);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task EmptyStream_ToForeignServer_Passes()
    {
        using var call = _client.FullDuplexCall(Bounded);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Theory]
    [CompressionRows]
    public async Task EmptyMessages_InStream_KeepTheirPlace(bool requests, bool responses)
    {
        using var call = Client(requests, responses).FullDuplexCall(Bounded);
        for (int round = 0; round < 3; round++)
        {
            await call.RequestStream.WriteAsync(Output());
            await call.RequestStream.WriteAsync(Output(0));
            Assert.Equal(0, (await NextAsync(call.ResponseStream)).Payload?.Body.Length ?? 0);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext());
    }

    [Fact]
    public async Task HalfClose_BeforeTheAnswers_AllArrive()
    {
        int[] sizes = [7, 0, 31415];
        using var half = _client.HalfDuplexCall(Bounded);
        await SendAsync(half.RequestStream, sizes.Select(size => Output(size)));
        Assert.Equal(sizes, await SizesAsync(half.ResponseStream));

        using var full = _client.FullDuplexCall(Bounded);
        await SendAsync(full.RequestStream, [Output(TimeSpan.FromMilliseconds(50), sizes)]);
        Assert.Equal(sizes, await SizesAsync(full.ResponseStream));
    }

    [Theory]
    [CompressionRows]
    public async Task RequestOf4MiB_AtForeignServersLimit_Passes(bool requests, bool responses)
    {
        int payload = MessageLimit - PayloadOverhead;
        SimpleRequest request = Simple(payload: payload);
        Assert.Equal(MessageLimit, request.CalculateSize());
        await Client(requests, responses).UnaryCallAsync(request, Bounded);

        using var call = Client(requests, responses).StreamingInputCall(Bounded);
        await SendAsync(call.RequestStream, Enumerable.Repeat(payload, 3).Select(Input));
        Assert.Equal(3 * payload, (await call).AggregatedPayloadSize);
    }

    [Theory]
    [CompressionRows]
    public async Task RequestOver4MiB_ForeignServerRefusesIt_ResourceExhausted(bool requests, bool responses)
    {
        SimpleRequest request = Simple(payload: MessageLimit - PayloadOverhead + 1);
        TestService.TestServiceClient client = Client(requests, responses);
        await ExpectAsync(StatusCode.ResourceExhausted, client.UnaryCallAsync(request, Bounded).ResponseAsync);
        await client.EmptyCallAsync(new Empty(), Bounded);
    }

    [Theory]
    [CompressionRows]
    public async Task ResponseOf4MiB_AtOurLimit_Passes(bool requests, bool responses)
    {
        int size = MessageLimit - PayloadOverhead;
        SimpleResponse response = await Client(requests, responses).UnaryCallAsync(Simple(size), Bounded);
        Assert.Equal(MessageLimit, response.CalculateSize());

        using var call = Client(requests, responses).StreamingOutputCall(Output(size, size, size), Bounded);
        Assert.Equal([size, size, size], await SizesAsync(call.ResponseStream));
    }

    [Theory]
    [CompressionRows]
    public async Task ResponseOver4MiB_WeRefuseIt_ResourceExhausted(bool requests, bool responses)
    {
        SimpleRequest request = Simple(MessageLimit - PayloadOverhead + 1);
        TestService.TestServiceClient client = Client(requests, responses);
        await ExpectAsync(StatusCode.ResourceExhausted, client.UnaryCallAsync(request, Bounded).ResponseAsync);
        await client.EmptyCallAsync(new Empty(), Bounded);
    }

    [Fact]
    public async Task ServerStreamOf5000Messages_LosesNone()
    {
        int[] sizes = Pattern(5000);
        using var call = _client.StreamingOutputCall(Output(sizes), Bounded);
        Assert.Equal(sizes, await SizesAsync(call.ResponseStream));
    }

    [Fact]
    public async Task ClientStreamOf5000Messages_LosesNone()
    {
        int[] sizes = Pattern(5000);
        using var call = _client.StreamingInputCall(Bounded);
        await SendAsync(call.RequestStream, sizes.Select(Input));
        Assert.Equal(sizes.Sum(), (await call).AggregatedPayloadSize);
    }

    [Fact]
    public async Task DuplexStreamOf5000Messages_BothDirectionsFull_LosesNone()
    {
        int[] sizes = Pattern(5000);
        using var call = _client.FullDuplexCall(Bounded);
        Task sending = SendAsync(call.RequestStream, sizes.Select(size => Output(size).With(size)));
        Assert.Equal(sizes, await SizesAsync(call.ResponseStream));
        await sending;
    }

    [Fact]
    public async Task ThousandStreams_OpenAtOnce_AllAreServed()
    {
        List<AsyncDuplexStreamingCall<StreamingOutputCallRequest, StreamingOutputCallResponse>> calls =
            [.. Enumerable.Range(0, 1000).Select(_ => _client.FullDuplexCall(Bounded))];

        // No stream is finished before each of them has had its first answer.
        await Task.WhenAll(calls.Select(async (call, index) =>
        {
            await call.RequestStream.WriteAsync(Output(index + 1));
            ExpectZeros(index + 1, (await NextAsync(call.ResponseStream)).Payload);
        }));
        await Task.WhenAll(calls.Select(async call =>
        {
            await call.RequestStream.CompleteAsync();
            Assert.False(await call.ResponseStream.MoveNext());
            call.Dispose();
        }));
    }

    private static int[] Pattern(int count) => [.. Enumerable.Range(0, count).Select(index => index % 97)];

    private int ServerPort(bool compressing) => (compressing ? _fixture.Compressing! : _fixture.Plain).Port;

    private TestService.TestServiceClient Client(bool compressRequests, bool compressedResponses) =>
        new(_fixture.Open($"http://localhost:{ServerPort(compressedResponses)}", new RpcChannelOptions { CompressRequests = compressRequests }));
}

/// <summary>Our client against python3-grpcio.</summary>
public sealed class PythonServerTests(ForeignServerFixture<PythonStack> fixture) : ForeignServerTests<PythonStack>(fixture);

/// <summary>Our client against @grpc/grpc-js.</summary>
public sealed class NodeServerTests(ForeignServerFixture<NodeStack> fixture) : ForeignServerTests<NodeStack>(fixture);
