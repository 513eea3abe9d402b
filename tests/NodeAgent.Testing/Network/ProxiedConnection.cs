using System.Net.Sockets;

namespace NodeAgent.Testing.Network;

/// <summary>A client's connection and the one made for it to the server, with a pipe each way.</summary>
internal sealed class ProxiedConnection(Socket client, Socket server) : IDisposable
{
    private static readonly TimeSpan IdlePoll = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _end = new();
    private volatile bool _isOrderly;
    private bool _isOver;

    /// <summary>Ends both sides with RST, at once.</summary>
    internal void Reset()
    {
        ResetSocket(client);
        ResetSocket(server);
        End();
    }

    /// <summary>Ends both sides with FIN, at once.</summary>
    internal void Close()
    {
        _isOrderly = true;
        End();
    }

    public void Dispose()
    {
        lock (_end)
        {
            _isOver = true;
            _end.Dispose();
        }

        client.Dispose();
        server.Dispose();
    }

    internal async Task RunAsync(FaultyPipe toServer, FaultyPipe toClient, Func<TimeSpan> idleCut, FaultProxyCounters counters, TimeProvider time)
    {
        Task<PipeEnd>[] pipes = [toServer.RunAsync(_end.Token), toClient.RunAsync(_end.Token)];
        Task watching = WatchIdleAsync(toServer, toClient, idleCut, counters, time);
        Task<PipeEnd> first = await Task.WhenAny(pipes).ConfigureAwait(false);
        if (await first.ConfigureAwait(false) == PipeEnd.Broken && !_isOrderly)
        {
            Reset();
        }

        PipeEnd[] ends = await Task.WhenAll(pipes).ConfigureAwait(false);
        if (ends.Contains(PipeEnd.Broken) && !_isOrderly)
        {
            Reset();
        }

        End();
        await watching.ConfigureAwait(false);
    }

    // A reset from outside may come when the connection has just ended by itself.
    private void End()
    {
        lock (_end)
        {
            if (!_isOver)
            {
                _end.Cancel();
            }
        }
    }

    private async Task WatchIdleAsync(FaultyPipe toServer, FaultyPipe toClient, Func<TimeSpan> idleCut, FaultProxyCounters counters, TimeProvider time)
    {
        while (!_end.IsCancellationRequested)
        {
            await Task.Delay(IdlePoll, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            TimeSpan limit = idleCut();
            if (limit > TimeSpan.Zero && time.GetElapsedTime(Math.Max(toServer.LastMoved, toClient.LastMoved)) > limit)
            {
                counters.AddIdleCut();
                Reset();
                return;
            }
        }
    }

    private static void ResetSocket(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
            socket.Close();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is over already, which is what was wanted.
            return;
        }
    }
}
