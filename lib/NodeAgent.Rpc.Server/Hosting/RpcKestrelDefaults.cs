using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace NodeAgent.Rpc.Server;

/// <summary>Kestrel's settings for many long, quiet streams; its defaults are for uploads and pages.</summary>
public static class RpcKestrelDefaults
{
    /// <summary>The stop of a host waits at most this long for its calls; the drain ends them well before. The host's default is 30
    /// s.</summary>
    public static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which a PING asks whether the client still lives. With <see cref="KeepAlivePingTimeout"/>: a dead peer is
    /// noticed within about 13 s.</summary>
    public static readonly TimeSpan KeepAlivePingDelay = TimeSpan.FromSeconds(5);

    /// <summary>How long a PING may go unanswered.</summary>
    public static readonly TimeSpan KeepAlivePingTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Sets limits on a server; endpoints and their TLS stay as they are. Changes made afterwards win.</summary>
    public static void Apply(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.AddServerHeader = false;
        KestrelServerLimits limits = kestrel.Limits;

        // A stream that waits for its next message is not a slow response. It can only be set for the whole server;
        // the one for requests is lifted call by call.
        limits.MinResponseDataRate = null;

        // Above the 8 KiB of RpcServerOptions.MaxRequestMetadataSize, so that too much metadata is a status and not a reset stream.
        limits.MaxRequestHeadersTotalSize = 32 * 1024;
        limits.MaxRequestHeaderCount = 200;

        // 30 s by default: headers of a call come in one piece.
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);

        Http2Limits http2 = limits.Http2;
        http2.MaxRequestHeaderFieldSize = 16 * 1024;

        // 100 by default: the next call on the same connection waits without a word.
        http2.MaxStreamsPerConnection = 2_000;

        // 768 KiB by default: what each stream may park here unread. With 200 flooding streams that is 150 MiB, and handlers that always
        // find a next message; 128 KiB halves the memory and keeps 4 MiB messages at 32 round trips.
        http2.InitialStreamWindowSize = 128 * 1024;
        http2.InitialConnectionWindowSize = 1024 * 1024;

        // Without it a client whose link was cut stays connected for as long as nothing is sent to it.
        http2.KeepAlivePingDelay = KeepAlivePingDelay;
        http2.KeepAlivePingTimeout = KeepAlivePingTimeout;
    }
}
