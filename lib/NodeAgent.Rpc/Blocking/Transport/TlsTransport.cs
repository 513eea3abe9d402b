using System.ComponentModel;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace NodeAgent.Rpc.Blocking.Transport;

/// <summary>TLS over a non-blocking socket, by SslStream's blocking calls, which here never block: they are only made for whole
/// records.</summary>
internal sealed class TlsTransport : ILinkTransport
{
    // RFC 8446, section 5.1. A write of no more is one record.
    private const int MaxPlaintext = 16 * 1024;

    private readonly PlainTransport _socket;
    private readonly RecordStream _records;
    private readonly SslStream _ssl;
    private bool _hasEnded;

    private TlsTransport(PlainTransport socket, RecordStream records)
    {
        _socket = socket;
        _records = records;
        _ssl = new SslStream(records, leaveInnerStreamOpen: true);
    }

    public bool HasInput => _records.WholeRecord > 0;

    public bool HasOutput => _records.HasOutput;

    public string Error { get; private set; } = "";

    // No record carries more plaintext than it weighs.
    public int ReadSize => Math.Max(_records.WholeRecord, 1);

    /// <summary>Shakes hands. Null: <paramref name="error"/> says what was wrong; the socket is then closed.</summary>
    /// <param name="socket">Connected.</param>
    /// <param name="options">For this connection alone.</param>
    /// <param name="waitForSocket">Waits until it can be read, or written where asked so; throws when that took too long.</param>
    /// <param name="error">In words.</param>
    internal static TlsTransport? TryEstablish(
        PlainTransport socket, SslClientAuthenticationOptions options, Func<bool, bool> waitForSocket, out string error)
    {
        TlsTransport tls = new(socket, new RecordStream(socket, waitForSocket));
        options.ApplicationProtocols = [SslApplicationProtocol.Http2];
        error = "";
        try
        {
            tls._ssl.AuthenticateAsClient(options);
            if (tls._ssl.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2)
            {
                error = "the server does not offer HTTP/2 over TLS";
            }
        }
        catch (Exception e) when (IsOfTheWorld(e))
        {
            error = Describe(e);
        }

        if (error.Length > 0)
        {
            tls.Dispose();
            return null;
        }

        tls._records.IsEstablished = true;
        return tls;
    }

    public TransferResult Read(byte[] buffer, int offset, int count, out int read)
    {
        read = 0;
        try
        {
            while (!_hasEnded)
            {
                if (_records.WholeRecord == 0 && _records.Fill() is not TransferResult.Done and TransferResult result)
                {
                    Error = _socket.Error;
                    return result;
                }

                if (_records.WholeRecord > count)
                {
                    return TransferResult.Done; // asked again with ReadSize
                }

                if (_records.WholeRecord > 0 && TryDecrypt(buffer, offset, count, out read))
                {
                    return TransferResult.Done;
                }
            }

            return TransferResult.Ended;
        }
        catch (Exception e) when (IsOfTheWorld(e))
        {
            Error = Describe(e);
            return TransferResult.Broken;
        }
    }

    public TransferResult Write(byte[] buffer, int offset, int count, out int written)
    {
        written = 0;
        try
        {
            if (_records.HasOutput && _records.FlushOutput() is not TransferResult.Done and TransferResult result)
            {
                Error = _socket.Error;
                return result;
            }

            written = Math.Min(count, MaxPlaintext);
            if (written > 0)
            {
                _ssl.Write(buffer, offset, written);
            }

            return TransferResult.Done;
        }
        catch (Exception e) when (IsOfTheWorld(e))
        {
            written = 0;
            Error = Describe(e);
            return TransferResult.Broken;
        }
    }

    public void Dispose()
    {
        _ssl.Dispose();
        _records.Dispose();
        _socket.Dispose();
    }

    // False: the record was for TLS itself, a session ticket or new keys, or the end.
    private bool TryDecrypt(byte[] buffer, int offset, int count, out int read)
    {
        read = 0;
        _records.Expose();
        try
        {
            read = _ssl.Read(buffer, offset, count);
            _hasEnded = read == 0;
            return read > 0;
        }
        catch (RecordStream.NoRecordException)
        {
            return false;
        }
    }

    private static bool IsOfTheWorld(Exception e) =>
        e is IOException or AuthenticationException or CryptographicException or Win32Exception;

    // The innermost sentence is the reason; the outer ones only say that there was one.
    private static string Describe(Exception e)
    {
        while (e.InnerException is not null)
        {
            e = e.InnerException;
        }

        return e.Message.AsSpan().EnumerateLines() is var lines && lines.MoveNext() ? lines.Current.TrimEnd('.').ToString() : "";
    }
}
