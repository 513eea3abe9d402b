using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Host;

namespace NodeAgent.Agent.Metrics;

/// <summary>
/// Answers GET /metrics on a loopback address, and nothing else: one request a connection, a few connections at once, every step in time. A
/// web server of a hundred lines, because the agent must contain no other: what it cannot parse it closes.
/// </summary>
internal sealed class MetricsListener : IDisposable
{
    private const int MaxRequestBytes = 8 * 1024;
    private const int MaxConnections = 8;

    // A page comes with the next tick; an interval may be a minute, but Prometheus waits 10 s as it is installed.
    private static readonly TimeSpan PageLimit = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan StepLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly MetricsPage _page;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _room = new(MaxConnections);
    private Task _accepting = Task.CompletedTask;
    private long _refused;

    private MetricsListener(Socket socket, MetricsPage page, TimeProvider time)
    {
        _socket = socket;
        _page = page;
        _time = time;
    }

    internal IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Connections closed unanswered: too many at once, too slow, or not HTTP.</summary>
    internal long Refused => Interlocked.Read(ref _refused);

    /// <summary>Listens; null: the address cannot be had, which is logged. The agent goes on without: its telemetry does not need it.</summary>
    internal static MetricsListener? TryStart(IPEndPoint address, MetricsPage page, TimeProvider time, ILogger log)
    {
        Socket socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(address);
            socket.Listen(16);
        }
        catch (SocketException unusable)
        {
            log.MetricsAddressUnusable(address.ToString(), unusable.Message);
            socket.Dispose();
            return null;
        }

        MetricsListener listener = new(socket, page, time);
        listener._accepting = Task.Run(listener.AcceptAsync);
        log.MetricsListening(listener.Address.ToString());
        return listener;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _socket.Dispose();
        _accepting.Wait(StepLimit);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket connection;
            try
            {
                connection = await _socket.AcceptAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception stopped) when (stopped is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException)
            {
                Interlocked.Increment(ref _refused); // the peer left, or descriptors are out: the next one may do better
                continue;
            }

            if (_room.Wait(0))
            {
                _ = Task.Run(() => ServeAsync(connection));
            }
            else
            {
                Interlocked.Increment(ref _refused);
                connection.Dispose();
            }
        }
    }

    // Never throws: whatever a peer does ends its own connection.
    private async Task ServeAsync(Socket connection)
    {
        using CancellationTokenSource limit = new(StepLimit + PageLimit, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stop.Token);
        try
        {
            await AnswerAsync(connection, either.Token).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is SocketException or OperationCanceledException or ObjectDisposedException or TimeoutException)
        {
            Interlocked.Increment(ref _refused);
        }
        finally
        {
            connection.Dispose();
            _room.Release();
        }
    }

    private async Task AnswerAsync(Socket connection, CancellationToken cancellation)
    {
        byte[] request = new byte[MaxRequestBytes];
        int length = 0;
        while (request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = length < request.Length ? await connection.ReceiveAsync(request.AsMemory(length), cancellation).ConfigureAwait(false) : 0;
            if (read == 0)
            {
                Interlocked.Increment(ref _refused);
                return;
            }

            length += read;
        }

        (string status, byte[] body) = await RouteAsync(FirstLine(request, length), cancellation).ConfigureAwait(false);
        string head = $"HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {body.Length}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n";
        await SendAsync(connection, Encoding.ASCII.GetBytes(head), cancellation).ConfigureAwait(false);
        await SendAsync(connection, body, cancellation).ConfigureAwait(false);
        connection.Shutdown(SocketShutdown.Send);
        _ = await connection.ReceiveAsync(request, cancellation).ConfigureAwait(false); // the peer's end: closing before it could cut off what it has not read
    }

    private async Task<(string Status, byte[] Body)> RouteAsync(string line, CancellationToken cancellation) => line.Split(' ') switch
    {
        ["GET", "/metrics", "HTTP/1.1" or "HTTP/1.0"] => ("200 OK", await _page.NextAsync().WaitAsync(PageLimit, _time, cancellation).ConfigureAwait(false)),
        ["GET", "/healthz", "HTTP/1.1" or "HTTP/1.0"] => ("200 OK", "ok\n"u8.ToArray()),
        ["GET", _, "HTTP/1.1" or "HTTP/1.0"] => ("404 Not Found", "there is /metrics\n"u8.ToArray()),
        [_, _, "HTTP/1.1" or "HTTP/1.0"] => ("405 Method Not Allowed", "only GET\n"u8.ToArray()),
        _ => ("400 Bad Request", []),
    };

    private static string FirstLine(byte[] request, int length) => Encoding.ASCII.GetString(request, 0, request.AsSpan(0, length).IndexOf("\r\n"u8));

    private static async Task SendAsync(Socket connection, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await connection.SendAsync(bytes, cancellation).ConfigureAwait(false)..];
        }
    }
}
