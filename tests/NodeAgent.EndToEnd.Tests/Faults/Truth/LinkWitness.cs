using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace NodeAgent.EndToEnd.Tests.Faults.Truth;

/// <summary>
/// Stands between one agent and the aggregator and sees both sides of their talk in the clear: towards the agent it has the aggregator's
/// certificate, towards the aggregator the agent's; the test owns the fleet, so it has both. It passes every byte on unchanged and
/// at once, and writes what it understood into a <see cref="LinkLedger"/>: the ground truth that belongs to neither program.
/// </summary>
internal sealed class LinkWitness : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<int, Task> _running = new();
    private readonly X509Certificate2 _aggregatorIdentity;
    private readonly X509Certificate2 _agentIdentity;
    private readonly IPEndPoint _target;
    private readonly Task _accepting;
    private int _connections;

    /// <param name="target">The aggregator.</param>
    /// <param name="fleet">Folder made by <c>nodectl fleet init</c>.</param>
    /// <param name="node">The agent it stands in front of.</param>
    internal LinkWitness(IPEndPoint target, string fleet, string node)
    {
        _target = target;
        _aggregatorIdentity = X509Certificate2.CreateFromPemFile(Path.Combine(fleet, "aggregator.crt"), Path.Combine(fleet, "aggregator.key"));
        _agentIdentity = X509Certificate2.CreateFromPemFile(
            Path.Combine(fleet, "agents", node + ".crt"), Path.Combine(fleet, "agents", node + ".key"));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where the agent connects.</summary>
    internal IPEndPoint Address => (IPEndPoint)_listener.LocalEndpoint;

    internal LinkLedger Ledger { get; } = new();

    /// <summary>Connections that were refused or broke in the handshake.</summary>
    internal int FailedConnections { get; private set; }

    /// <summary>What the witness itself could not understand; a test fails on it.</summary>
    internal ConcurrentQueue<string> Problems { get; } = new();

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_running.Values).ConfigureAwait(false);
        _aggregatorIdentity.Dispose();
        _agentIdentity.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                Socket agent = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
                int number = _connections++;
                _running[number] = ServeAsync(agent, number);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or InvalidOperationException)
            {
                // The listener was closed, which is how it is told to stop.
                return;
            }
        }
    }

    private async Task ServeAsync(Socket agent, int number)
    {
        await Task.Yield();
        using Socket aggregator = new(_target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        agent.NoDelay = true;
        try
        {
            await aggregator.ConnectAsync(_target, _stop.Token).ConfigureAwait(false);
            await using SslStream toAggregator = new(new NetworkStream(aggregator, ownsSocket: false), leaveInnerStreamOpen: false);
            await using SslStream toAgent = new(new NetworkStream(agent, ownsSocket: false), leaveInnerStreamOpen: false);
            await Task.WhenAll(
                toAggregator.AuthenticateAsClientAsync(AsAgent(), _stop.Token),
                toAgent.AuthenticateAsServerAsync(AsAggregator(), _stop.Token)).ConfigureAwait(false);
            await RelayAsync(toAgent, toAggregator, agent, aggregator).ConfigureAwait(false);
        }
        catch (Exception e) when (IsEndOfConnection(e))
        {
            FailedConnections++;
            agent.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        finally
        {
            agent.Dispose();
            _running.TryRemove(number, out _);
        }
    }

    private async Task RelayAsync(SslStream toAgent, SslStream toAggregator, Socket agent, Socket aggregator)
    {
        ConcurrentDictionary<int, LinkLedger.LinkStreamLedger> streams = new();
        LinkLedger.LinkStreamLedger Of(int stream) => streams.GetOrAdd(stream, _ => Ledger.OpenStream());
        Http2MessageReader fromAgent = new(fromClient: true, (stream, message) => Of(stream).OnAgentMessage(message));
        Http2MessageReader fromAggregator = new(fromClient: false, (stream, message) => Of(stream).OnAggregatorMessage(message));

        Task up = CopyAsync(toAgent, toAggregator, fromAgent);
        Task down = CopyAsync(toAggregator, toAgent, fromAggregator);
        await Task.WhenAny(up, down).ConfigureAwait(false);

        // Whichever side went, the other sees the end of the connection at once, as it would without a witness.
        agent.Close();
        aggregator.Close();
        await Task.WhenAll(up, down).ConfigureAwait(false);
    }

    private async Task CopyAsync(SslStream from, SslStream to, Http2MessageReader reader)
    {
        byte[] buffer = new byte[32 * 1024];
        try
        {
            while (await from.ReadAsync(buffer, _stop.Token).ConfigureAwait(false) is var length and > 0)
            {
                try
                {
                    reader.Feed(buffer.AsSpan(0, length));
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    Problems.Enqueue(e.ToString());
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, length), _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (IsEndOfConnection(e))
        {
            // A killed program, a cut network: what the tests are about.
            return;
        }
    }

    private static bool IsEndOfConnection(Exception e) => e is IOException or SocketException or OperationCanceledException or ObjectDisposedException
        or System.Security.Authentication.AuthenticationException or InvalidOperationException;

    private SslClientAuthenticationOptions AsAgent() => new()
    {
        TargetHost = "witness",
        ClientCertificates = [_agentIdentity],
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        CertificateChainPolicy = null,
#pragma warning disable CA5359 // The witness only looks; whom the agent talks to is the agent's own check, which runs against the same certificate.
        RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
    };

    private SslServerAuthenticationOptions AsAggregator() => new()
    {
        ServerCertificate = _aggregatorIdentity,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        ClientCertificateRequired = false,
    };
}
