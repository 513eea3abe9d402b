using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>
/// From a name to a connected socket, on the calling thread and within one bound. Several addresses are tried as RFC 8305 has it: in the
/// resolver's order, families in turn, the next one after a quarter of a second, and the first that answers wins.
/// </summary>
internal sealed class Dial(string host, int port, Deadline deadline, WakeHandle wake, CancellationToken cancellation)
{
    // RFC 8305, section 5: the recommended delay between two attempts.
    private static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    // What one poll takes; nobody's name has more addresses that matter.
    private const int MaxAddresses = 8;

    private readonly List<Socket> _attempts = [];
    private string _lastError = "";

    /// <summary>A connected, non-blocking socket; null: <paramref name="failure"/> says why not.</summary>
    internal Socket? TryConnect(out Status failure)
    {
        IPAddress[]? addresses = HostLookup.TryResolve(host, deadline, cancellation, out failure);
        if (addresses is null)
        {
            return null;
        }

        Socket? winner = null;
        try
        {
            winner = Race(Alternate(addresses), out failure);
            return winner;
        }
        finally
        {
            foreach (Socket attempt in _attempts)
            {
                if (attempt != winner)
                {
                    attempt.Dispose();
                }
            }
        }
    }

    internal static IPAddress[] Alternate(IPAddress[] addresses)
    {
        Queue<IPAddress> first = new(addresses.Where(address => address.AddressFamily == addresses[0].AddressFamily));
        Queue<IPAddress> second = new(addresses.Where(address => address.AddressFamily != addresses[0].AddressFamily));
        List<IPAddress> mixed = [];
        while (mixed.Count < addresses.Length)
        {
            foreach (Queue<IPAddress> family in (Queue<IPAddress>[])[first, second])
            {
                if (family.TryDequeue(out IPAddress? next))
                {
                    mixed.Add(next);
                }
            }
        }

        return [.. mixed.Take(MaxAddresses)];
    }

    private Socket? Race(IPAddress[] addresses, out Status failure)
    {
        failure = default;
        int started = 0;
        Deadline nextStart = deadline.Sooner(TimeSpan.Zero);
        while (true)
        {
            if (cancellation.IsCancellationRequested)
            {
                failure = Status.DefaultCancelled;
                return null;
            }

            if (started < addresses.Length && (_attempts.Count == 0 || nextStart.HasPassed))
            {
                if (Start(addresses[started++]) is { } connected)
                {
                    return connected;
                }

                nextStart = deadline.Sooner(AttemptDelay);
            }
            else if (_attempts.Count == 0 || deadline.HasPassed)
            {
                string reason = _lastError.Length > 0 ? _lastError : "no answer";
                string tried = string.Join(", ", addresses.Select(address => address.ToString()));
                failure = new Status(StatusCode.Unavailable, $"{host}:{port}: {reason} ({tried})");
                return null;
            }
            else if (Await(started < addresses.Length ? nextStart : deadline) is { } winner)
            {
                return winner;
            }
        }
    }

    // Null: it is under way, or has failed already.
    private Socket? Start(IPAddress address)
    {
        Socket? socket = null;
        try
        {
            socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false, NoDelay = true };
            socket.Connect(new IPEndPoint(address, port));
            return socket;
        }
        catch (SocketException e) when (socket is not null && e.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
        {
            _attempts.Add(socket);
            return null;
        }
        catch (SocketException e)
        {
            _lastError = Text(e.SocketErrorCode);
            socket?.Dispose();
            return null;
        }
    }

    private Socket? Await(Deadline until)
    {
        PollTarget[] targets = [.. _attempts.Select(attempt => new PollTarget(attempt) { WantsWrite = true })];

        // A wake is either the stop, which the loop sees, or news for the connection that is about to be, which keeps.
        bool woken = SocketPoll.Wait(targets, wake, until.Remaining);
        foreach (PollTarget target in targets)
        {
            if (!target.CanWrite)
            {
                continue;
            }

            SocketError error = (SocketError)(int)target.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            if (error == SocketError.Success)
            {
                return target.Socket;
            }

            _lastError = Text(error);
            _attempts.Remove(target.Socket);
            target.Socket.Dispose();
        }

        return null;
    }

    private static string Text(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.TimedOut => "no answer",
        SocketError.HostUnreachable => "no route to the host",
        SocketError.NetworkUnreachable => "no route to the network",
        _ => new SocketException((int)error).Message.ToLowerInvariant(),
    };
}
