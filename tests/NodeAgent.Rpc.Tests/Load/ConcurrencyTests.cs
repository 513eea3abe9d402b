using System.Collections.Concurrent;
using System.Diagnostics;
using Google.Protobuf;
using Grpc.Core;
using NodeAgent.Rpc.Tests.Proto;

namespace NodeAgent.Rpc.Tests.Load;

/// <summary>One process plays all parts here, so the bounds are wide; they tell a stall from a slow machine.</summary>
[Collection(MeasuredAlone.Name)]
public sealed class ConcurrencyTests
{
    [Fact]
    public async Task Duplex_ThousandStreamsOnOneConnection_AllEcho()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Echo.EchoClient client = host.Client();
        AsyncDuplexStreamingCall<EchoRequest, EchoReply>[] calls = [.. Enumerable.Range(0, 1000).Select(_ => client.Duplex())];
        for (int round = 0; round < 3; round++)
        {
            int number = round;
            await Task.WhenAll(calls.Select((call, i) => call.RequestStream.WriteAsync(new EchoRequest { Number = i + number })));
            bool[] read = await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext()));
            Assert.All(read, Assert.True);
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => 2 * (i + number)), calls.Select(call => call.ResponseStream.Current.Number));
        }

        Assert.Equal(1000, host.Server.ActiveCalls);
        await Task.WhenAll(calls.Select(call => call.RequestStream.CompleteAsync()));
        Assert.All(await Task.WhenAll(calls.Select(call => call.ResponseStream.MoveNext())), Assert.False);
    }

    [Fact]
    public async Task Unary_ThousandAtOnce_AllAnswered()
    {
        await using RpcHost host = await RpcHost.StartAsync();
        Echo.EchoClient client = host.Client();
        EchoReply[] replies = await Task.WhenAll(
            Enumerable.Range(0, 1000).Select(async i => await client.UnaryAsync(new EchoRequest { Number = i })));
        Assert.Equal(Enumerable.Range(0, 1000).Select(i => 2 * i), replies.Select(reply => reply.Number));
    }

    [Fact]
    public async Task Unary_WhileOthersFlood_IsAnswered()
    {
        ConcurrentDictionary<string, int> received = new();
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnClientStream = async (requests, context) =>
            {
                int count = 0;
                while (await requests.MoveNext())
                {
                    received[context.Peer] = ++count;
                }

                return new EchoReply { Number = count };
            },
        });
        using CancellationTokenSource stop = new();
        Task[] floods = [.. Enumerable.Range(0, 40).Select(_ => FloodAsync(host.Client(), stop.Token))];
        while (received.Count < 40)
        {
            await Task.Yield();
        }

        Echo.EchoClient third = host.Client();
        TimeSpan slowest = TimeSpan.Zero;
        for (int i = 0; i < 20; i++)
        {
            Stopwatch watch = Stopwatch.StartNew();
            await third.UnaryAsync(new EchoRequest(), deadline: TimeProvider.System.GetUtcNow().UtcDateTime.AddSeconds(20));
            slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
        }

        await stop.CancelAsync();
        await Task.WhenAll(floods);
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"the slowest of 20 calls took {slowest}");
        TestContext.Current.TestOutputHelper!.WriteLine($"slowest unary call under 40 floods: {slowest.TotalMilliseconds:F0} ms, {received.Values.Sum()} messages");
    }

    [Theory]
    [InlineData(16, 1, 16)]
    [InlineData(8, 1, 8)]
    [InlineData(int.MaxValue, 1000, int.MaxValue)] // The control: without yielding this very stream keeps its thread.
    public async Task Server_MessagesAlwaysThere_GivesItsThreadUpInTime(int messagesBetweenYields, int fewest, int most)
    {
        const int Messages = 2000;
        TaskCompletionSource allArrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        int longest = 0;
        await using RpcHost host = await RpcHost.StartAsync(
            new EchoService
            {
                // On a scheduler that runs one piece at a time: what a read leaves to run later cannot have run when the handler looks.
                // On the pool another thread may have finished it by then, and two turns would count as one.
                OnClientStream = (requests, _) => Task.Factory.StartNew(
                    async () =>
                    {
                        await allArrived.Task;
                        int inARow = 0;
                        while (true)
                        {
                            Task<bool> read = requests.MoveNext();
                            inARow = read.IsCompleted ? inARow + 1 : 0;
                            longest = Math.Max(longest, inARow);
                            if (!await read)
                            {
                                return new EchoReply();
                            }
                        }
                    },
                    CancellationToken.None,
                    TaskCreationOptions.None,
                    new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler).Unwrap(),
            },
            new NodeAgent.Rpc.Server.RpcServerOptions { MessagesBetweenYields = messagesBetweenYields });
        Echo.EchoClient client = host.Client();
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = client.ClientStream();
        for (int i = 0; i < Messages; i++)
        {
            await call.RequestStream.WriteAsync(new EchoRequest { Number = 1 });
        }

        // Kestrel reads a connection in order: when this call on the same one is answered, the messages before it are in their stream.
        await client.UnaryAsync(new EchoRequest());
        allArrived.SetResult();
        await call.RequestStream.CompleteAsync();
        await call;
        Assert.InRange(longest, fewest, most);
    }

    [Fact]
    public async Task ServerStream_ReaderStands_WriterIsHeldBack()
    {
        const int Size = 10_000;
        TaskCompletionSource<int> heldBackAt = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnServerStream = async (request, responses, _) =>
            {
                for (int i = 0; i < request.Number; i++)
                {
                    Task write = responses.WriteAsync(new EchoReply { Payload = ByteString.CopyFrom(new byte[Size]) });
                    await NoteIfHeldBackAsync(write, i, heldBackAt);
                }
            },
        });
        using AsyncServerStreamingCall<EchoReply> call = host.Client().ServerStream(new EchoRequest { Number = 5000 });
        int messages = await heldBackAt.Task.WaitAsync(RpcHost.Patience);
        Assert.InRange(messages * Size, 1, 1024 * 1024);

        int read = 0;
        while (await call.ResponseStream.MoveNext())
        {
            read++;
        }

        Assert.Equal(5000, read);
    }

    [Fact]
    public async Task ClientStream_ServerStands_WriterIsHeldBack()
    {
        const int Size = 10_000;
        TaskCompletionSource goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource<int> heldBackAt = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using RpcHost host = await RpcHost.StartAsync(new EchoService
        {
            OnClientStream = async (requests, context) =>
            {
                await goOn.Task;
                return await EchoService.SumAsync(requests, context);
            },
        });
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = host.Client().ClientStream();
        Task writing = Task.Run(async () =>
        {
            for (int i = 0; i < 2000; i++)
            {
                Task write = call.RequestStream.WriteAsync(new EchoRequest { Number = 1, Payload = ByteString.CopyFrom(new byte[Size]) });
                await NoteIfHeldBackAsync(write, i, heldBackAt);
            }

            await call.RequestStream.CompleteAsync();
        });
        Assert.InRange(await heldBackAt.Task.WaitAsync(RpcHost.Patience) * Size, 1, 2 * 1024 * 1024);
        goOn.SetResult();
        await writing;
        Assert.Equal(2000, (await call).Number);
    }

    // Held back = still pending after half a second; a flush alone takes microseconds.
    private static async Task NoteIfHeldBackAsync(Task write, int messages, TaskCompletionSource<int> heldBackAt)
    {
        if (!heldBackAt.Task.IsCompleted)
        {
            using CancellationTokenSource done = new();
            await Task.WhenAny(write, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, done.Token));
            if (!write.IsCompleted)
            {
                heldBackAt.TrySetResult(messages);
            }

            await done.CancelAsync();
        }

        await write;
    }

    private static async Task FloodAsync(Echo.EchoClient client, CancellationToken stop)
    {
        using AsyncClientStreamingCall<EchoRequest, EchoReply> call = client.ClientStream(cancellationToken: CancellationToken.None);
        call.RequestStream.WriteOptions = new WriteOptions(WriteFlags.BufferHint);
        EchoRequest message = new() { Payload = ByteString.CopyFrom(new byte[500]) };
        int sent = 0;
        while (!stop.IsCancellationRequested)
        {
            await call.RequestStream.WriteAsync(message, CancellationToken.None);
            sent++;
        }

        await call.RequestStream.CompleteAsync();
        Assert.Equal(sent, (await call).Number);
    }
}
