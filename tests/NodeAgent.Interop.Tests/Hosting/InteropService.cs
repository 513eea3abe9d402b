using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Interop.Contract;

namespace NodeAgent.Interop.Tests.Hosting;

/// <summary>
/// The public interop test service on our runtime. Beyond it, as the foreign servers do: x-interop-call-id makes the end of a call observable,
/// x-interop-echo-deadline returns the time left as trailing x-interop-time-remaining-ms, x-interop-echo-repeated returns every value of
/// x-interop-repeated and x-interop-repeated-bin as trailing metadata.
/// </summary>
internal sealed class InteropService : TestService.TestServiceBase
{
    private const string EchoInitial = "x-grpc-test-echo-initial";
    private const string EchoTrailing = "x-grpc-test-echo-trailing-bin";

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _ended = new();

    /// <summary>Completes once the handler of the call with this id has ended.</summary>
    internal Task EndOf(string callId) => Ended(callId).Task;

    public override async Task<Empty> EmptyCall(Empty request, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        return new Empty();
    }

    public override async Task<SimpleResponse> UnaryCall(SimpleRequest request, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        ThrowIfAsked(request.ResponseStatus);
        return new SimpleResponse { Payload = Zeros(request.ResponseSize) };
    }

    public override async Task StreamingOutputCall(
        StreamingOutputCallRequest request, IServerStreamWriter<StreamingOutputCallResponse> responses, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        await RespondAsync(request, responses, context);
    }

    public override async Task<StreamingInputCallResponse> StreamingInputCall(
        IAsyncStreamReader<StreamingInputCallRequest> requests, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        int total = 0;
        while (await requests.MoveNext(context.CancellationToken))
        {
            total += requests.Current.Payload.Body.Length;
        }

        return new StreamingInputCallResponse { AggregatedPayloadSize = total };
    }

    public override async Task FullDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requests, IServerStreamWriter<StreamingOutputCallResponse> responses, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        while (await requests.MoveNext(context.CancellationToken))
        {
            await RespondAsync(requests.Current, responses, context);
        }
    }

    public override async Task HalfDuplexCall(
        IAsyncStreamReader<StreamingOutputCallRequest> requests, IServerStreamWriter<StreamingOutputCallResponse> responses, ServerCallContext context)
    {
        using IDisposable observed = await ObserveAsync(context);
        List<StreamingOutputCallRequest> all = [];
        while (await requests.MoveNext(context.CancellationToken))
        {
            all.Add(requests.Current);
        }

        foreach (StreamingOutputCallRequest request in all)
        {
            await RespondAsync(request, responses, context);
        }
    }

    internal static Payload Zeros(int size) => new() { Body = UnsafeByteOperations.UnsafeWrap(new byte[size]) };

    private async Task<IDisposable> ObserveAsync(ServerCallContext context)
    {
        if (context.RequestHeaders.GetValueBytes(EchoTrailing) is { } trailing)
        {
            context.ResponseTrailers.Add(EchoTrailing, trailing);
        }

        if (context.RequestHeaders.GetValue("x-interop-echo-deadline") is not null)
        {
            context.ResponseTrailers.Add("x-interop-time-remaining-ms", TimeRemaining(context.Deadline));
        }

        if (context.RequestHeaders.GetValue("x-interop-echo-repeated") is not null)
        {
            foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key is "x-interop-repeated" or "x-interop-repeated-bin"))
            {
                context.ResponseTrailers.Add(entry);
            }
        }

        if (context.RequestHeaders.GetValue(EchoInitial) is { } initial)
        {
            await context.WriteResponseHeadersAsync([new Metadata.Entry(EchoInitial, initial)]);
        }

        return new Observation(context.RequestHeaders.GetValue("x-interop-call-id") is { } id ? Ended(id) : null);
    }

    /// <summary>Public rule: a status in the request ends the call before this request's own responses.</summary>
    private static async Task RespondAsync(
        StreamingOutputCallRequest request, IServerStreamWriter<StreamingOutputCallResponse> responses, ServerCallContext context)
    {
        ThrowIfAsked(request.ResponseStatus);
        foreach (ResponseParameters parameters in request.ResponseParameters)
        {
            if (parameters.IntervalUs > 0)
            {
                await Task.Delay(TimeSpan.FromMicroseconds(parameters.IntervalUs), TimeProvider.System, context.CancellationToken);
            }

            await responses.WriteAsync(new StreamingOutputCallResponse { Payload = Zeros(parameters.Size) });
        }
    }

    private static void ThrowIfAsked(EchoStatus? status)
    {
        if (status is { Code: not 0 })
        {
            throw new RpcException(new Status((StatusCode)status.Code, status.Message));
        }
    }

    private static string TimeRemaining(DateTime deadline) => deadline == DateTime.MaxValue
        ? "none"
        : $"{(long)(deadline - TimeProvider.System.GetUtcNow().UtcDateTime).TotalMilliseconds}";

    private TaskCompletionSource Ended(string callId) =>
        _ended.GetOrAdd(callId, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Lives as long as a handler runs.</summary>
    private sealed class Observation(TaskCompletionSource? ended) : IDisposable
    {
        public void Dispose() => ended?.TrySetResult();
    }
}
