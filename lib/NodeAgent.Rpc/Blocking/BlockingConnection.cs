using System.Net.Security;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Rpc.Blocking.Http2;
using NodeAgent.Rpc.Blocking.Transport;

namespace NodeAgent.Rpc.Blocking;

/// <summary>
/// One connection to a gRPC server for one thread: no thread pool, no task, no timer, and nothing allocated once it runs. The thread queues
/// what it has to say, and waits in <see cref="Wait(TimeSpan)"/>, which writes it and hands what came to the sinks. A program with many
/// calls at a time wants <see cref="RpcChannel"/>; this is for the one that has a message a second for years.
/// <para>
/// With a lock around every use, other threads may send and <see cref="Flush"/> while the one that owns it waits:
/// <see cref="Wait(TimeSpan, Lock)"/>.
/// </para>
/// </summary>
public sealed class BlockingConnection : IDisposable
{
    // How late a PING may be in order to ride along with something else.
    private static readonly TimeSpan KeepAliveSlack = TimeSpan.FromSeconds(1);

    // Reads before a wait returns to its caller, whatever the peer still has: sending goes on under a flood.
    private const int ReadsPerWait = 32;

    private readonly PollTarget[] _target;
    private readonly ILinkTransport _transport;
    private readonly Http2Session _session;
    private readonly BlockingConnectionOptions _options;
    private readonly WakeHandle _wake;
    private readonly TimeProvider _time;
    private readonly bool _isTls;
    private long _heardAt; // timestamps of the clock
    private long? _pingedAt; // null: no PING is out
    private long? _stuckAt; // null: the socket takes what we write
    private bool _isDispatching;
    private bool _isPolling; // its thread is in the poll, without the lock

    private BlockingConnection(
        Socket socket, ILinkTransport transport, Uri address, string authority, BlockingConnectionOptions options, WakeHandle wake)
    {
        _target = [new PollTarget(socket)];
        _transport = transport;
        _options = options;
        _wake = wake;
        _time = options.TimeProvider;
        _isTls = address.Scheme == Uri.UriSchemeHttps;
        _session = new Http2Session(options, _isTls, authority);
        _heardAt = _time.GetTimestamp();
        Peer = $"{address.Host}:{address.Port}";
    }

    /// <summary>The server as it was named: HOST:PORT.</summary>
    public string Peer { get; }

    /// <summary>Why the connection is over; null while it is not. Its streams have heard the same.</summary>
    public Status? Failure { get; private set; }

    /// <summary>
    /// The server has said something. One that refuses the client's certificate never does: in TLS 1.3 the client has finished its
    /// handshake before the server judges the certificate.
    /// </summary>
    public bool HasAnswered => _session.HasSpoken;

    /// <summary>The server takes no new calls; those there are may end in peace.</summary>
    public bool IsDraining => _session.IsDraining;

    /// <summary>
    /// Connects on the calling thread: resolves the name anew, tries its addresses side by side, shakes hands. Returns within
    /// <see cref="BlockingConnectionOptions.ConnectTimeout"/>. Null: <paramref name="failure"/> is UNAVAILABLE with the reason, or
    /// CANCELLED.
    /// </summary>
    /// <param name="address"><c>http://HOST:PORT</c> for HTTP/2 without TLS and without asking, <c>https://HOST:PORT</c> for TLS.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="wake">Ends every later wait, and outlives the connection. A wake while this connects is used up: look at what it may
    /// have been about before the first wait.</param>
    /// <param name="cancellation">Seen at once where its source also calls <see cref="WakeHandle.Wake"/>.</param>
    /// <param name="failure">Why there is no connection.</param>
    public static BlockingConnection? TryConnect(
        Uri address, BlockingConnectionOptions? options, WakeHandle wake, CancellationToken cancellation, out Status failure)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(wake);
        if (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps)
        {
            throw new ArgumentException($"'{address}' has the scheme '{address.Scheme}'; only http and https are known.", nameof(address));
        }

        options ??= new BlockingConnectionOptions();
        Deadline deadline = new(options.TimeProvider, options.ConnectTimeout);
        Socket? socket = new Dial(address.IdnHost, address.Port, deadline, wake, cancellation).TryConnect(out failure);
        if (socket is null)
        {
            return null;
        }

        PlainTransport plain = new(socket);
        if (address.Scheme == Uri.UriSchemeHttp)
        {
            return new BlockingConnection(socket, plain, address, address.Authority, options, wake);
        }

        SslClientAuthenticationOptions tlsOptions = options.Tls?.Invoke() ?? new SslClientAuthenticationOptions();
        tlsOptions.TargetHost ??= address.IdnHost;
        Handshake handshake = new(socket, deadline, wake, cancellation);
        if (TlsTransport.TryEstablish(plain, tlsOptions, handshake.Wait, out string error) is { } tls)
        {
            UriBuilder named = new(address) { Host = tlsOptions.TargetHost };
            return new BlockingConnection(socket, tls, address, named.Uri.Authority, options, wake);
        }

        failure = cancellation.IsCancellationRequested
            ? Status.DefaultCancelled
            : new Status(StatusCode.Unavailable, $"{address.Authority}: TLS: {error}");
        return null;
    }

    /// <summary>
    /// Starts a call; its headers leave with the next <see cref="Wait"/> or <see cref="Flush"/>. Null: the connection is over or draining,
    /// or the server allows no more calls at a time.
    /// </summary>
    /// <param name="path">The method, such as <c>/nodeagent.v1.AgentLink/Connect</c>.</param>
    /// <param name="metadata">Names that gRPC itself uses are left out. Null: none.</param>
    /// <param name="sink">Hears what comes.</param>
    public BlockingStream? TryOpenStream(string path, Metadata? metadata, IBlockingStreamSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        return Failure is null && _session.CanOpenStream ? _session.OpenStream(path, metadata, sink) : null;
    }

    /// <summary>
    /// Writes what is queued, then waits in one poll until bytes come, the socket takes what it refused before, <see
    /// cref="WakeHandle.Wake"/> is called, or the time has passed; then hands what came to the sinks. May return early. False: the
    /// connection is over, and
    /// <see cref="Failure"/> says why.
    /// </summary>
    public bool Wait(TimeSpan timeout) => Wait(timeout, null);

    /// <summary>
    /// As <see cref="Wait(TimeSpan)"/>, and lets others at the connection meanwhile.
    /// </summary>
    /// <param name="timeout">As there.</param>
    /// <param name="turn">
    /// Held by the caller, and again when this returns; let go of for the poll alone. Whoever has it may do everything but wait and dispose.
    /// </param>
    public bool Wait(TimeSpan timeout, Lock? turn)
    {
        if (_isDispatching)
        {
            throw new InvalidOperationException("BUG: a sink must not wait");
        }

        if (Failure is null)
        {
            KeepAlive();
            Flush();
        }

        if (Failure is not null)
        {
            return false;
        }

        ref PollTarget target = ref _target[0];
        target.WantsWrite = _transport.HasOutput || _session.Output.Length > 0;
        Poll(_transport.HasInput ? TimeSpan.Zero : Shorten(timeout), turn);
        if (Failure is null && target.CanWrite && target.WantsWrite)
        {
            Flush();
        }

        if (Failure is null && (target.CanRead || _transport.HasInput))
        {
            Receive();
        }

        return Failure is null;
    }

    private void Poll(TimeSpan atMost, Lock? turn)
    {
        if (turn is null)
        {
            SocketPoll.Wait(_target, _wake, atMost);
            return;
        }

        _isPolling = true;
        turn.Exit();
        try
        {
            SocketPoll.Wait(_target, _wake, atMost);
        }
        finally
        {
            turn.Enter();
            _isPolling = false;
        }

        if (Failure is not null)
        {
            _transport.Dispose(); // whoever met the failure could not: the descriptor was being waited for
        }
    }

    /// <summary>Writes what is queued, as far as the socket takes it. Never waits; <see cref="Wait(TimeSpan)"/> does this by itself.</summary>
    public void Flush()
    {
        OutputBuffer output = _session.Output;
        while (Failure is null && (output.Length > 0 || _transport.HasOutput))
        {
            TransferResult result = _transport.Write(output.Array, output.Offset, output.Length, out int written);
            output.Consume(written);
            if (result == TransferResult.WouldBlock)
            {
                OnStuck();
                return;
            }

            if (result != TransferResult.Done)
            {
                Fail(Unavailable(_transport.Error));
                return;
            }

            _stuckAt = null;
            _session.Advance();
        }
    }

    /// <summary>Says goodbye as far as the socket takes it, and closes. Open streams hear CANCELLED.</summary>
    public void Dispose()
    {
        if (Failure is null)
        {
            _session.SendGoAway(Http2Error.NoError);
            Flush();
            Fail(Status.DefaultCancelled);
        }
    }

    private void Receive()
    {
        _isDispatching = true;
        try
        {
            for (int i = 0; i < ReadsPerWait && Failure is null && ReceiveOnce(); i++)
            {
            }
        }
        catch (Http2Exception e)
        {
            _session.SendGoAway(e.Error);
            Flush();
            Fail(new Status(StatusCode.Unavailable, $"{Peer}: the server broke the protocol: {e.Message}"));
        }
        finally
        {
            _isDispatching = false;
        }
    }

    // False: nothing more now.
    private bool ReceiveOnce()
    {
        InputBuffer input = _session.Input;
        input.EnsureFree(_transport.ReadSize);
        int room = input.Free;
        TransferResult result = _transport.Read(input.Array, input.Offset, room, out int read);
        switch (result)
        {
            case TransferResult.Done:
                _heardAt = _time.GetTimestamp();
                _pingedAt = null;
                input.Commit(read);
                _session.ProcessInput();

                // A short read has emptied the socket, so asking it once more can wait for the next poll.
                return read == room || read == 0 || _transport.HasInput;
            case TransferResult.WouldBlock:
                return false;
            case TransferResult.Ended:
                Fail(Unavailable(_session.GoAwayReason.Length > 0 ? _session.GoAwayReason : "the server closed the connection"));
                return false;
            default:
                Fail(Unavailable(_session.GoAwayReason.Length > 0 ? _session.GoAwayReason : _transport.Error));
                return false;
        }
    }

    // Asks a silent server whether it lives, and gives one up that does not answer.
    private void KeepAlive()
    {
        if (_options.KeepAliveDelay == Timeout.InfiniteTimeSpan)
        {
            return;
        }

        long now = _time.GetTimestamp();
        if (_pingedAt is not { } pingedAt)
        {
            if (_time.GetElapsedTime(_heardAt, now) >= _options.KeepAliveDelay)
            {
                _session.SendPing();
                _pingedAt = now;
            }
        }
        else if (_time.GetElapsedTime(pingedAt, now) >= _options.KeepAliveTimeout && !_transport.HasInput && !IsReadable())
        {
            Fail(Unavailable($"no sign of life for {_time.GetElapsedTime(_heardAt, now).TotalSeconds:0} s"));
        }
    }

    // A thread that was held up itself must read the answer that waits before it judges its peer.
    private bool IsReadable() => _target[0].Socket.Poll(TimeSpan.Zero, SelectMode.SelectRead);

    private void OnStuck()
    {
        WakePoller(); // it does not wait for room to write, nor for as little time as is left now
        long now = _time.GetTimestamp();
        if (_stuckAt is not { } stuckAt)
        {
            _stuckAt = now;
        }
        else if (_time.GetElapsedTime(stuckAt, now) >= _options.WriteTimeout)
        {
            Fail(Unavailable($"the server took nothing for {_options.WriteTimeout.TotalSeconds:0} s"));
        }
    }

    // The caller's time, or that of our own next duty.
    private TimeSpan Shorten(TimeSpan timeout)
    {
        TimeSpan bound = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout;
        long now = _time.GetTimestamp();
        if (_options.KeepAliveDelay != Timeout.InfiniteTimeSpan)
        {
            bound = Min(bound, _pingedAt is { } pingedAt
                ? _options.KeepAliveTimeout - _time.GetElapsedTime(pingedAt, now)
                : _options.KeepAliveDelay + KeepAliveSlack - _time.GetElapsedTime(_heardAt, now));
        }

        return _stuckAt is { } stuckAt ? Min(bound, _options.WriteTimeout - _time.GetElapsedTime(stuckAt, now)) : bound;
    }

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private Status Unavailable(string reason)
    {
        // In TLS 1.3 the client has finished its handshake before the server judges the client's certificate.
        string hint = _isTls && !_session.HasSpoken ? " (a server that refuses the client certificate ends the connection like this)" : "";
        return new Status(StatusCode.Unavailable, $"{Peer}: {reason}{hint}");
    }

    private void Fail(Status status)
    {
        if (Failure is null)
        {
            Failure = status;
            WakePoller();
            if (!_isPolling)
            {
                _transport.Dispose();
            }

            _session.CloseAll(status);
        }
    }

    private void WakePoller()
    {
        if (_isPolling)
        {
            _wake.Wake();
        }
    }

    /// <summary>The waits of one TLS handshake.</summary>
    private sealed class Handshake(Socket socket, Deadline deadline, WakeHandle wake, CancellationToken cancellation)
    {
        private readonly PollTarget[] _target = [new PollTarget(socket)];

        internal bool Wait(bool forWriting)
        {
            _target[0].WantsWrite = forWriting;
            SocketPoll.Wait(_target, wake, deadline.Remaining);
            if (deadline.HasPassed || cancellation.IsCancellationRequested)
            {
                throw new IOException("no answer in time");
            }

            return true;
        }
    }
}
