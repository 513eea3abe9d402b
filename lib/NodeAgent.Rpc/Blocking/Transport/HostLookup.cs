using System.Net;
using System.Net.Sockets;
using Grpc.Core;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>
/// Name to addresses, asked anew for every connection: an aggregator that moved is found. The resolver of libc can neither be stopped nor
/// given a bound, so a name is asked for on a thread of its own, which is left behind when it takes too long and ends by itself.
/// </summary>
internal static class HostLookup
{
    /// <summary>At least one address; null: <paramref name="failure"/> says why there is none.</summary>
    internal static IPAddress[]? TryResolve(string host, Deadline deadline, CancellationToken cancellation, out Status failure)
    {
        failure = default;
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal))
        {
            return [literal];
        }

        Query query = new(host);
        new Thread(query.Run, maxStackSize: 256 * 1024) { IsBackground = true, Name = "host-lookup" }.Start();
        try
        {
            if (!query.Done.Wait(deadline.Remaining, cancellation))
            {
                failure = new Status(StatusCode.Unavailable, $"{host}: the name was not resolved in time");
                return null;
            }
        }
        catch (OperationCanceledException)
        {
            failure = Status.DefaultCancelled;
            return null;
        }

        failure = new Status(StatusCode.Unavailable, $"{host}: {query.Error}");
        return query.Addresses is { Length: > 0 } addresses ? addresses : null;
    }

    private sealed class Query(string host)
    {
        // Not disposed: the thread may be the last one here.
        internal ManualResetEventSlim Done { get; } = new();

        internal IPAddress[] Addresses { get; private set; } = [];

        internal string Error { get; private set; } = "the name has no address";

        internal void Run()
        {
            try
            {
                Addresses = Dns.GetHostAddresses(host);
            }
            catch (Exception e) when (e is SocketException or ArgumentException)
            {
                Error = e.Message;
            }

            Done.Set();
        }
    }
}
