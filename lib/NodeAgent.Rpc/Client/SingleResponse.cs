using Grpc.Core;

namespace NodeAgent.Rpc.Client;

/// <summary>The response of a call that has exactly one.</summary>
internal static class SingleResponse
{
    internal static Task<T> ReadAsync<T>(ClientCall call, Marshaller<T> marshaller)
        where T : class
    {
        Task<T> response = ReadCoreAsync(call, new ClientStreamReader<T>(call, marshaller));

        // A caller that disposes a call without awaiting it has no use for its failure.
        _ = response.ContinueWith(
            static task => _ = task.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return response;
    }

    private static async Task<T> ReadCoreAsync<T>(ClientCall call, ClientStreamReader<T> reader)
        where T : class
    {
        if (!await reader.ReadAsync().ConfigureAwait(false))
        {
            // OK without a message breaks the contract of the method (grpc/grpc: doc/statuscodes.md names UNIMPLEMENTED for it, but the
            // implementations answer INTERNAL).
            throw new RpcException(new Status(StatusCode.Internal, "The server answered OK without a response message."));
        }

        T response = reader.Current;
        if (await reader.ReadAsync().ConfigureAwait(false))
        {
            call.End(new Status(StatusCode.Internal, "The server sent a second response to a call that has one."), null);
            throw call.ToException();
        }

        return response;
    }
}
