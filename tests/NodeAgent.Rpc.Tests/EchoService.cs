using Grpc.Core;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests;

/// <summary>The handlers of a test. Without one: unary doubles the number and returns text and payload, streams do so for each
/// message.</summary>
public sealed class EchoService : Echo.EchoBase
{
    public Func<EchoRequest, ServerCallContext, Task<EchoReply>> OnUnary { get; init; } = (request, _) => Task.FromResult(Reply(request));

    public Func<IAsyncStreamReader<EchoRequest>, ServerCallContext, Task<EchoReply>> OnClientStream { get; init; } = SumAsync;

    public Func<EchoRequest, IServerStreamWriter<EchoReply>, ServerCallContext, Task> OnServerStream { get; init; } = CountAsync;

    public Func<IAsyncStreamReader<EchoRequest>, IServerStreamWriter<EchoReply>, ServerCallContext, Task> OnDuplex { get; init; } = EchoAsync;

    public override Task<EchoReply> Unary(EchoRequest request, ServerCallContext context) => OnUnary(request, context);

    public override Task<EchoReply> ClientStream(IAsyncStreamReader<EchoRequest> requestStream, ServerCallContext context) =>
        OnClientStream(requestStream, context);

    public override Task ServerStream(EchoRequest request, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context) =>
        OnServerStream(request, responseStream, context);

    public override Task Duplex(
        IAsyncStreamReader<EchoRequest> requestStream, IServerStreamWriter<EchoReply> responseStream, ServerCallContext context) =>
        OnDuplex(requestStream, responseStream, context);

    public static EchoReply Reply(EchoRequest request) =>
        new() { Text = request.Text, Number = 2 * request.Number, Payload = request.Payload };

    public static async Task<EchoReply> SumAsync(IAsyncStreamReader<EchoRequest> requests, ServerCallContext context)
    {
        int sum = 0;
        while (await requests.MoveNext(CancellationToken.None))
        {
            sum += requests.Current.Number;
        }

        return new EchoReply { Number = sum };
    }

    public static async Task CountAsync(EchoRequest request, IServerStreamWriter<EchoReply> responses, ServerCallContext context)
    {
        for (int i = 0; i < request.Number; i++)
        {
            await responses.WriteAsync(new EchoReply { Number = i, Payload = request.Payload });
        }
    }

    public static async Task EchoAsync(
        IAsyncStreamReader<EchoRequest> requests, IServerStreamWriter<EchoReply> responses, ServerCallContext context)
    {
        while (await requests.MoveNext(CancellationToken.None))
        {
            await responses.WriteAsync(Reply(requests.Current));
        }
    }
}
