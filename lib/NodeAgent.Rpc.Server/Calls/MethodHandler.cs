using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Server.Calls;

/// <summary>Runs the handler of one method: reads what the kind of call prescribes and writes what the handler returns.</summary>
internal abstract class MethodHandler(IMethod method)
{
    internal IMethod Method { get; } = method;

    internal abstract Task RunAsync(ServerCall call);
}

/// <summary>What the four kinds share.</summary>
internal abstract class MethodHandler<TRequest, TResponse>(Method<TRequest, TResponse> method) : MethodHandler(method)
    where TRequest : class
    where TResponse : class
{
    private readonly Method<TRequest, TResponse> _method = method;

    internal sealed override Task RunAsync(ServerCall call)
    {
        YieldCounter yield = new(call.Options.MessagesBetweenYields);
        ServerStreamReader<TRequest> reader = new(call, _method.RequestMarshaller, yield);
        ServerStreamWriter<TResponse> writer = new(call, _method.ResponseMarshaller, yield);
        call.Reader = reader;
        call.Writer = writer;
        return RunAsync(call, reader, writer);
    }

    protected abstract Task RunAsync(ServerCall call, ServerStreamReader<TRequest> reader, ServerStreamWriter<TResponse> writer);

    // INTERNAL for too few or too many: what grpc-go, grpc-java and grpc-dotnet answer.
    protected static async ValueTask<TRequest> ReadSingleAsync(ServerStreamReader<TRequest> reader)
    {
        if (!await reader.ReadAsync().ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "The request ended without a message."));
        }

        TRequest request = reader.Current;
        if (await reader.ReadAsync().ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "More than one message was sent to a method that takes one."));
        }

        return request;
    }

    protected static ValueTask WriteSingleAsync(ServerCall call, ServerStreamWriter<TResponse> writer, TResponse? response)
    {
        if (response is null)
        {
            throw new InvalidOperationException($"The handler of {call.Method} returned no response.");
        }

        // The status follows at once and brings the flush with it: one write to the socket instead of two.
        writer.WriteOptions = new WriteOptions((call.WriteOptions?.Flags ?? WriteFlags.None) | WriteFlags.BufferHint);
        return writer.WriteMessageAsync(response);
    }
}

internal sealed class UnaryHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse> handler)
    : MethodHandler<TRequest, TResponse>(method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task RunAsync(ServerCall call, ServerStreamReader<TRequest> reader, ServerStreamWriter<TResponse> writer)
    {
        TRequest request = await ReadSingleAsync(reader).ConfigureAwait(false);
        TResponse response = await handler(request, call).ConfigureAwait(false);
        if (call.Status.StatusCode == StatusCode.OK)
        {
            await WriteSingleAsync(call, writer, response).ConfigureAwait(false);
        }
    }
}

internal sealed class ClientStreamingHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse> handler)
    : MethodHandler<TRequest, TResponse>(method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task RunAsync(ServerCall call, ServerStreamReader<TRequest> reader, ServerStreamWriter<TResponse> writer)
    {
        TResponse response = await handler(reader, call).ConfigureAwait(false);
        if (call.Status.StatusCode == StatusCode.OK)
        {
            await WriteSingleAsync(call, writer, response).ConfigureAwait(false);
        }
    }
}

internal sealed class ServerStreamingHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse> handler)
    : MethodHandler<TRequest, TResponse>(method)
    where TRequest : class
    where TResponse : class
{
    protected override async Task RunAsync(ServerCall call, ServerStreamReader<TRequest> reader, ServerStreamWriter<TResponse> writer)
    {
        TRequest request = await ReadSingleAsync(reader).ConfigureAwait(false);
        await handler(request, writer, call).ConfigureAwait(false);
    }
}

internal sealed class DuplexHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse> handler)
    : MethodHandler<TRequest, TResponse>(method)
    where TRequest : class
    where TResponse : class
{
    protected override Task RunAsync(ServerCall call, ServerStreamReader<TRequest> reader, ServerStreamWriter<TResponse> writer) =>
        handler(reader, writer, call);
}
