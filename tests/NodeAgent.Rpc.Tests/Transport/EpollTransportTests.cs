using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using NodeAgent.Rpc.Server.Transport;

namespace NodeAgent.Rpc.Tests.Transport;

public sealed class EpollTransportTests : IAsyncLifetime
{
    private readonly EpollTransport _transport = new(Options.Create(new SocketTransportOptions()), TimeProvider.System);
    private readonly List<Socket> _clients = [];
    private IConnectionListener _listener = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "epoll is Linux'");
        _listener = await _transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public async ValueTask DisposeAsync()
    {
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }

        _transport.Dispose();
        _clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Transport_BytesBothWays_AreTheSame()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        await client.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await ReadAsync(connection, 5));
        await connection.Transport.Output.WriteAsync("and back"u8.ToArray());
        Assert.Equal("and back"u8.ToArray(), await ReceiveAsync(client, 8));
        Assert.Equal(client.LocalEndPoint, connection.RemoteEndPoint);
        await connection.DisposeAsync();
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(RpcHost.Patience));
    }

    [Fact]
    public async Task Input_AReaderThatDoesNotRead_MakesTheSenderWait_AndGetsEverythingLater()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        byte[] bytes = Pattern(32 << 20);
        Task send = SendAllAsync(client, bytes);

        // More than the pipe and both sockets' buffers hold.
        await UntilAsync(() => !connection.Transport.Input.TryRead(out ReadResult result) || Kept(connection, result) > 512 * 1024);
        Assert.False(send.IsCompleted);
        Assert.Equal(bytes, await ReadAsync(connection, bytes.Length));
        await send.WaitAsync(RpcHost.Patience);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Output_AClientThatReadsLate_MakesTheWriterWait_AndGetsEverything()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        byte[] bytes = Pattern(32 << 20);
        Task<FlushResult> write = connection.Transport.Output.WriteAsync(bytes).AsTask();
        Assert.False(write.IsCompleted);
        Assert.Equal(bytes, await ReceiveAsync(client, bytes.Length));
        await write.WaitAsync(RpcHost.Patience);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Input_TheClientEndsItsHalf_AllItSaidIsReadAndThenTheEnd()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        byte[] bytes = Pattern(300_000);
        await SendAllAsync(client, bytes);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(bytes, await ReadAsync(connection, bytes.Length));
        ReadResult end = await connection.Transport.Input.ReadAsync().AsTask().WaitAsync(RpcHost.Patience);
        Assert.True(end.IsCompleted && end.Buffer.IsEmpty);
        await connection.Transport.Output.WriteAsync("still here"u8.ToArray());
        Assert.Equal(10, (await ReceiveAsync(client, 10)).Length);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Input_TheClientResets_TheReaderIsTold()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        Task<ReadResult> read = connection.Transport.Input.ReadAsync().AsTask();
        client.Close(0);
        await Assert.ThrowsAsync<ConnectionResetException>(() => read.WaitAsync(RpcHost.Patience));
        await ClosedAsync(connection);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Output_TheClientIsGone_TheWriterIsTold()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        client.Close(0);
        await ClosedAsync(connection);
        await UntilAsync(() => connection.Transport.Output.WriteAsync(new byte[1]).AsTask().Result.IsCompleted);
        await connection.DisposeAsync();
    }

    [Fact]
    public async Task Abort_WhileBothWait_EndsBothAndTheClientSeesAReset()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        Task<FlushResult> write = connection.Transport.Output.WriteAsync(Pattern(32 << 20)).AsTask();
        Task<ReadResult> read = connection.Transport.Input.ReadAsync().AsTask();
        connection.Abort(new ConnectionAbortedException("enough"));
        Assert.Equal("enough", (await Assert.ThrowsAsync<ConnectionAbortedException>(() => read.WaitAsync(RpcHost.Patience))).Message);
        Assert.True((await write.WaitAsync(RpcHost.Patience)).IsCompleted);
        await ClosedAsync(connection);
        await connection.DisposeAsync().AsTask().WaitAsync(RpcHost.Patience);
        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(client, 64 << 20));
    }

    [Fact]
    public async Task Abort_WhileTheReaderDoesNotRead_EndsTheConnection()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        Task send = SendAllAsync(client, Pattern(32 << 20));
        await UntilAsync(() => !connection.Transport.Input.TryRead(out ReadResult result) || Kept(connection, result) > 512 * 1024);
        connection.Abort();
        await connection.DisposeAsync().AsTask().WaitAsync(RpcHost.Patience);
        await Assert.ThrowsAnyAsync<SocketException>(() => send.WaitAsync(RpcHost.Patience));
    }

    [Fact]
    public async Task DisposeAsync_WhatWasWritten_ArrivesBeforeTheEnd()
    {
        (Socket client, ConnectionContext connection) = await ConnectAsync();
        byte[] bytes = Pattern(4 << 20);
        ValueTask<FlushResult> write = connection.Transport.Output.WriteAsync(bytes);
        Task dispose = connection.DisposeAsync().AsTask();
        Assert.Equal(bytes, await ReceiveAsync(client, bytes.Length));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(RpcHost.Patience));
        await dispose.WaitAsync(RpcHost.Patience);
        await write;
    }

    [Fact]
    public async Task AcceptAsync_ManyAtOnceThatComeAndGo_EchoTheirOwnBytesAndLeaveNothing()
    {
        const int Rounds = 6;
        const int AtOnce = 150;
        Task serve = ServeEchoAsync(Rounds * AtOnce);
        for (int round = 0; round < Rounds; round++)
        {
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => EchoAsync((round * AtOnce) + number))).WaitAsync(RpcHost.Patience);
        }

        await serve.WaitAsync(RpcHost.Patience);
        Assert.Equal(0, _transport.Connections);
    }

    [Fact]
    public async Task UnbindAsync_WhileAnAcceptWaits_EndsIt()
    {
        Task<ConnectionContext?> accept = _listener.AcceptAsync().AsTask();
        await _listener.UnbindAsync();
        Assert.Null(await accept.WaitAsync(RpcHost.Patience));
    }

    [Fact]
    public async Task Dispose_WithConnectionsOpen_EndsThem()
    {
        (_, ConnectionContext connection) = await ConnectAsync();
        Task<ReadResult> read = connection.Transport.Input.ReadAsync().AsTask();
        _transport.Dispose();
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => read.WaitAsync(RpcHost.Patience));
        await connection.DisposeAsync().AsTask().WaitAsync(RpcHost.Patience);
    }

    [Fact]
    public async Task BindAsync_APortInUse_SaysSo() =>
        await Assert.ThrowsAsync<AddressInUseException>(async () => await _transport.BindAsync(_listener.EndPoint));

    private static byte[] Pattern(int length, int seed = 1)
    {
        byte[] bytes = new byte[length];
#pragma warning disable CA5394 // Not for secrets.
        new Random(seed).NextBytes(bytes);
#pragma warning restore CA5394
        return bytes;
    }

    private static long Kept(ConnectionContext connection, ReadResult result)
    {
        connection.Transport.Input.AdvanceTo(result.Buffer.Start);
        return result.Buffer.Length;
    }

    private static async Task<byte[]> ReadAsync(ConnectionContext connection, int length)
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        byte[] bytes = new byte[length];
        for (int filled = 0; filled < length;)
        {
            ReadResult result = await connection.Transport.Input.ReadAsync(patience.Token);
            Assert.False(result.Buffer.IsEmpty && result.IsCompleted);
            ReadOnlySequence<byte> part = result.Buffer.Slice(0, Math.Min(result.Buffer.Length, length - filled));
            part.CopyTo(bytes.AsSpan(filled));
            filled += (int)part.Length;
            connection.Transport.Input.AdvanceTo(part.End);
        }

        return bytes;
    }

    private static async Task<byte[]> ReceiveAsync(Socket client, int length)
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        byte[] bytes = new byte[length];
        for (int filled = 0; filled < length;)
        {
            int received = await client.ReceiveAsync(bytes.AsMemory(filled), patience.Token);
            Assert.NotEqual(0, received);
            filled += received;
        }

        return bytes;
    }

    private static async Task SendAllAsync(Socket client, byte[] bytes)
    {
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += await client.SendAsync(bytes.AsMemory(sent));
        }
    }

    private static async Task ClosedAsync(ConnectionContext connection)
    {
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await using CancellationTokenRegistration registration = connection.ConnectionClosed.Register(closed.SetResult);
        await closed.Task.WaitAsync(RpcHost.Patience);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        using CancellationTokenSource patience = new(RpcHost.Patience);
        while (!isSo())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task<(Socket Client, ConnectionContext Connection)> ConnectAsync()
    {
        Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _clients.Add(client);
        await client.ConnectAsync(_listener.EndPoint);
        return (client, (await _listener.AcceptAsync().AsTask().WaitAsync(RpcHost.Patience))!);
    }

    private async Task ServeEchoAsync(int connections)
    {
        List<Task> all = [];
        for (int i = 0; i < connections; i++)
        {
            all.Add(ServeOneAsync((await _listener.AcceptAsync())!));
        }

        await Task.WhenAll(all);
    }

    private static async Task ServeOneAsync(ConnectionContext connection)
    {
        await connection.Transport.Input.CopyToAsync(connection.Transport.Output);
        await connection.DisposeAsync();
    }

    // Odd sizes around a block's, and some far beyond what a pipe holds.
    private async Task EchoAsync(int number)
    {
        byte[] bytes = Pattern(number % 10 == 0 ? 700_000 + number : 4000 + number, number);
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(_listener.EndPoint);
        Task send = SendAllAsync(client, bytes);
        Assert.Equal(bytes, await ReceiveAsync(client, bytes.Length));
        await send;
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]));
    }
}
