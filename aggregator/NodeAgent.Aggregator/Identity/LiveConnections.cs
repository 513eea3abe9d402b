using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using NodeAgent.Aggregator.Identity.Registry;

namespace NodeAgent.Aggregator.Identity;

/// <summary>
/// Connections by who is at their other end, so that they end when somebody is shut out: all their streams, whatever they wait for. A
/// handshake and a call are judged when they begin; a stream may have begun an hour ago.
/// </summary>
internal sealed class LiveConnections(IdentityRegistry registry, TimeProvider time, IdentityLog log)
{
    // Long enough to renew on.
    private static readonly TimeSpan ExpiredConnection = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<ConnectionContext, Entry> _open = new();

    internal int Count => _open.Count;

    /// <summary>A connection's life behind its TLS.</summary>
    internal async Task RunAsync(ConnectionContext context, ConnectionDelegate next)
    {
        X509Certificate2? shown = context.Features.Get<ITlsConnectionFeature>()?.ClientCertificate;
        if (shown is null || CertificateIdentity.Read(shown) is not { Certificate: { } certificate } caller)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        Entry entry = new(caller, certificate, time.GetUtcNow());
        _open[context] = entry;
        try
        {
            // Whoever was shut out between the handshake and the line above was not found by that sweep.
            if (!TryEnd(context, entry))
            {
                await next(context).ConfigureAwait(false);
            }
        }
        finally
        {
            _open.TryRemove(context, out _);
        }
    }

    /// <summary>Ends the connections of all who are not, or no longer, let in. How many.</summary>
    internal int Sweep()
    {
        int ended = 0;
        foreach ((ConnectionContext context, Entry entry) in _open)
        {
            ended += TryEnd(context, entry) ? 1 : 0;
        }

        return ended;
    }

    private bool TryEnd(ConnectionContext context, Entry entry)
    {
        string? reason = registry.DenialOf(entry.Certificate) ?? (IsOver(entry) ? $"its certificate expired at {entry.Certificate.NotAfter.UtcDateTime:u}" : null);
        if (reason is null)
        {
            return false;
        }

        log.ConnectionEnded(entry.Caller.ToString(), context.RemoteEndPoint?.ToString() ?? "unknown", reason);
        context.Abort(new ConnectionAbortedException(reason));
        return true;
    }

    private bool IsOver(Entry entry)
    {
        DateTimeOffset from = entry.Since > entry.Certificate.NotAfter ? entry.Since : entry.Certificate.NotAfter;
        return time.GetUtcNow() >= from + ExpiredConnection;
    }

    private sealed record Entry(CallerIdentity Caller, PeerCertificate Certificate, DateTimeOffset Since);
}
