using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>Makes the four kinds of calls on a channel.</summary>
internal sealed class RpcCallInvoker(RpcChannel channel) : CallInvoker
{
    private static readonly Func<object, Task<Metadata>> HeadersOf = static call => ((ClientCall)call).ResponseHeadersAsync();
    private static readonly Func<object, Status> StatusOf = static call => ((ClientCall)call).GetStatus();
    private static readonly Func<object, Metadata> TrailersOf = static call => ((ClientCall)call).GetTrailers();
    private static readonly Action<object> DisposeOf = static call => ((ClientCall)call).Dispose();

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        using AsyncUnaryCall<TResponse> call = AsyncUnaryCall(method, host, options, request);
        return call.ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ClientCall call = StartSingle(method, host, options, request);
        return new AsyncUnaryCall<TResponse>(
            SingleResponse.ReadAsync(call, method.ResponseMarshaller), HeadersOf, StatusOf, TrailersOf, DisposeOf, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        ClientCall call = StartSingle(method, host, options, request);
        return new AsyncServerStreamingCall<TResponse>(
            new ClientStreamReader<TResponse>(call, method.ResponseMarshaller), HeadersOf, StatusOf, TrailersOf, DisposeOf, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        ClientCall call = StartStreaming(method, host, options, out ClientStreamWriter<TRequest> writer);
        return new AsyncClientStreamingCall<TRequest, TResponse>(
            writer, SingleResponse.ReadAsync(call, method.ResponseMarshaller), HeadersOf, StatusOf, TrailersOf, DisposeOf, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        ClientCall call = StartStreaming(method, host, options, out ClientStreamWriter<TRequest> writer);
        ClientStreamReader<TResponse> reader = new(call, method.ResponseMarshaller);
        return new AsyncDuplexStreamingCall<TRequest, TResponse>(writer, reader, HeadersOf, StatusOf, TrailersOf, DisposeOf, call);
    }

    private ClientCall StartSingle<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, in CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        ArgumentNullException.ThrowIfNull(request);

        // Encoded before the call starts: a request that cannot be sent costs no connection. The frame is not pooled,
        // because HttpClient may send it a second time at a moment that we do not see.
        bool compress = channel.Options.CompressRequests && ((options.WriteOptions?.Flags ?? 0) & WriteFlags.NoCompress) == 0;
        MessageEncoder encoder = new(channel.Options.MaxSendMessageSize);
        ReadOnlyMemory<byte> frame = encoder.Encode(method.RequestMarshaller, request, compress);
        ClientCall call = new(channel, method, host, options);
        call.Start(new SingleMessageContent(frame));
        return call;
    }

    private ClientCall StartStreaming<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, in CallOptions options, out ClientStreamWriter<TRequest> writer)
        where TRequest : class
        where TResponse : class
    {
        ClientCall call = new(channel, method, host, options);
        StreamingContent content = new();
        call.Start(content);
        writer = new ClientStreamWriter<TRequest>(call, content, method.RequestMarshaller);
        return call;
    }
}
