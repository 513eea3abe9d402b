using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Rpc.Client;

namespace NodeAgent.Rpc;

/// <summary>
/// A way to one server over HTTP/2: <c>http://</c> speaks it without TLS and without asking (prior knowledge), <c>https://</c> through TLS.
/// Connects with the first call and again whenever the connection broke; a call on a broken connection ends UNAVAILABLE, nothing is
/// retried.
/// </summary>
public sealed class RpcChannel : ChannelBase, IDisposable
{
    private readonly CancellationTokenSource _shutdown = new();
    private readonly string _userAgent;
    private bool _disposed;

    private RpcChannel(Uri address, RpcChannelOptions options)
        : base(address.Authority)
    {
        Address = address;
        Options = options;
        ShutdownToken = _shutdown.Token;
        RequestBase = address;
        Http = new HttpMessageInvoker(CreateHandler(), disposeHandler: true);
        _userAgent = options.UserAgent is null ? OwnUserAgent : $"{options.UserAgent} {OwnUserAgent}";
    }

    /// <summary>Scheme, host and port.</summary>
    public Uri Address { get; }

    internal RpcChannelOptions Options { get; }

    internal HttpMessageInvoker Http { get; }

    /// <summary>What requests name in :authority: the address, or the name that the TLS options expect in the server's
    /// certificate.</summary>
    internal Uri RequestBase { get; private set; }

    /// <summary>Whether any server ever answered on this channel.</summary>
    internal bool HasSpoken { get; set; }

    internal string UserAgent => _userAgent;

    internal bool IsTls => Address.Scheme == Uri.UriSchemeHttps;

    internal CancellationToken ShutdownToken { get; }

    private static string OwnUserAgent { get; } =
        $"grpc-nodeagent/{typeof(RpcChannel).Assembly.GetName().Version?.ToString(3) ?? "0"}";

    /// <summary>A channel to <c>http://host:port</c> or <c>https://host:port</c>. Does not connect yet.</summary>
    /// <exception cref="ArgumentException">The address is neither, or has a path, or TLS options came with http.</exception>
    public static RpcChannel ForAddress(string address, RpcChannelOptions? options = null)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? uri))
        {
            throw new ArgumentException($"'{address}' is not an address; write http://HOST:PORT or https://HOST:PORT.", nameof(address));
        }

        return ForAddress(uri, options);
    }

    /// <inheritdoc cref="ForAddress(string, RpcChannelOptions)"/>
    public static RpcChannel ForAddress(Uri address, RpcChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        options ??= new RpcChannelOptions();
        if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        {
            throw new ArgumentException($"'{address}' has the scheme '{address.Scheme}'; only http and https are known.", nameof(address));
        }

        if (address.PathAndQuery != "/")
        {
            throw new ArgumentException($"'{address}' has a path; a gRPC address ends with the port.", nameof(address));
        }

        if (options.Tls is not null && address.Scheme == Uri.UriSchemeHttp)
        {
            throw new ArgumentException($"TLS options were given for '{address}', which does not use TLS; write https.", nameof(address));
        }

        return new RpcChannel(address, options);
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new RpcCallInvoker(this);
    }

    /// <summary>Ends open calls with CANCELLED and closes the connections.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _shutdown.Cancel();
        Http.Dispose();
        _shutdown.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    private SocketsHttpHandler CreateHandler()
    {
        RpcChannelOptions options = Options;
        SocketsHttpHandler handler = new()
        {
            // A proxy from the environment would otherwise sit between the agent and its aggregator unasked, and looking for one costs
            // start-up time.
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,

            // No trace headers that nobody reads: each call would allocate them.
            ActivityHeadersPropagator = null,

            // A server allows a limited number of streams per connection (Kestrel: 100 unless raised); without this the next call waits.
            EnableMultipleHttp2Connections = true,

            // A connection lives as long as the server wants it; keep-alive, not age, tells whether it is dead.
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            ConnectTimeout = options.ConnectTimeout,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        };
        if (options.InitialStreamWindowSize is { } window)
        {
            handler.InitialHttp2StreamWindowSize = window;
        }

        if (options.Tls is not null)
        {
            SslClientAuthenticationOptions tls = options.Tls();
            handler.SslOptions = tls;
            if (tls.TargetHost is { Length: > 0 } name && name != Address.Host)
            {
                // HttpClient overwrites TargetHost with the host of the request, so the request has to carry that name while we dial the
                // address.
                RequestBase = new UriBuilder(Address) { Host = name }.Uri;
                handler.ConnectCallback = async (_, cancellationToken) => await DialAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return handler;
    }

    private async ValueTask<Stream> DialAsync(CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Address.IdnHost, Address.Port, cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
