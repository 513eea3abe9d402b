using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Interop.Contract;

namespace NodeAgent.Interop.Tests.OurClient;

/// <summary>Requests of the test service and what is expected of its answers.</summary>
internal static class Requests
{
    internal const int MessageLimit = 4 * 1024 * 1024;

    /// <summary>A payload field and its body field: one tag byte and a four-byte length each, for bodies of 2 MiB to 256 MiB.</summary>
    internal const int PayloadOverhead = 10;

    internal static Payload Zeros(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };

    internal static SimpleRequest Simple(int responseSize = 0, int payload = 0, EchoStatus? status = null) =>
        new() { ResponseSize = responseSize, Payload = payload > 0 ? Zeros(payload) : null, ResponseStatus = status };

    internal static StreamingInputCallRequest Input(int payload) => new() { Payload = Zeros(payload) };

    internal static StreamingOutputCallRequest Output(params IEnumerable<int> sizes) => Output(TimeSpan.Zero, sizes);

    internal static StreamingOutputCallRequest Output(TimeSpan interval, params IEnumerable<int> sizes)
    {
        StreamingOutputCallRequest request = new();
        request.ResponseParameters.AddRange(
            sizes.Select(size => new ResponseParameters { Size = size, IntervalUs = (int)interval.TotalMicroseconds }));
        return request;
    }

    internal static StreamingOutputCallRequest With(this StreamingOutputCallRequest request, EchoStatus status)
    {
        request.ResponseStatus = status;
        return request;
    }

    internal static StreamingOutputCallRequest With(this StreamingOutputCallRequest request, int payload)
    {
        request.Payload = Zeros(payload);
        return request;
    }

    internal static void ExpectZeros(int size, Payload payload)
    {
        Assert.Equal(size, payload.Body.Length);
        Assert.True(payload.Body.Span.IndexOfAnyExcept((byte)0) < 0, "a byte that is not zero");
    }

    /// <summary>The call fails with this status, and with this message if one is given.</summary>
    internal static async Task<RpcException> ExpectAsync(StatusCode code, Task call, string? message = null)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.True(code == error.StatusCode, $"expected {code}, saw {error.Status}");
        if (message is not null)
        {
            Assert.Equal(message, error.Status.Detail);
        }

        return error;
    }

    /// <summary>Reads a stream to its end and returns the sizes of the payloads.</summary>
    internal static async Task<List<int>> SizesAsync(IAsyncStreamReader<StreamingOutputCallResponse> responses)
    {
        List<int> sizes = [];
        while (await responses.MoveNext(CancellationToken.None))
        {
            sizes.Add(responses.Current.Payload?.Body.Length ?? 0);
        }

        return sizes;
    }

    internal static async Task<StreamingOutputCallResponse> NextAsync(IAsyncStreamReader<StreamingOutputCallResponse> responses)
    {
        Assert.True(await responses.MoveNext(CancellationToken.None), "the stream ended");
        return responses.Current;
    }

    /// <summary>Writes the requests and half-closes.</summary>
    internal static async Task SendAsync<T>(IClientStreamWriter<T> stream, IEnumerable<T> requests)
    {
        foreach (T request in requests)
        {
            await stream.WriteAsync(request);
        }

        await stream.CompleteAsync();
    }
}
