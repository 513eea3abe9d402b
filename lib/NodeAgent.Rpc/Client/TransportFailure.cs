using System.Text;
using Grpc.Core;
using NodeAgent.Rpc.Wire;

namespace NodeAgent.Rpc.Client;

/// <summary>Turns what HttpClient throws into a status whose detail names the real reason, which usually sits in an inner
/// exception.</summary>
internal static class TransportFailure
{
    internal static Status ToStatus(Exception exception, RpcChannel channel)
    {
        if (FindStreamReset(exception) is { } reset)
        {
            return new Status(StatusMapping.FromHttp2Error(reset.ErrorCode), Describe(exception, channel), exception);
        }

        return new Status(StatusCode.Unavailable, Describe(exception, channel), exception);
    }

    // A reset of this one stream is the server's word about this call; every other protocol failure took the whole connection with it,
    // and the call may be made again on the next one.
    private static HttpProtocolException? FindStreamReset(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e is HttpProtocolException protocol)
            {
                return IsStreamReset(protocol) ? protocol : null;
            }
        }

        return null;
    }

    private static bool IsStreamReset(HttpProtocolException exception) =>
        exception.Message.Contains("reset the stream", StringComparison.Ordinal)
        || exception.Message.Contains("net_http_http2_stream_error", StringComparison.Ordinal);

    private static string Describe(Exception exception, RpcChannel channel)
    {
        StringBuilder text = new($"{channel.Address.Authority}: ");
        string last = "";
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            string message = FirstLine(e);
            if (IsNewsAfter(last, message))
            {
                text.Append(last.Length == 0 ? "" : ": ").Append(message);
                last = message;
            }
        }

        if (MayBeRefusedCertificate(exception, channel))
        {
            text.Append(" (a server that refuses the client certificate ends the connection like this)");
        }

        return text.ToString();
    }

    // In TLS 1.3 the client has finished its handshake before the server judges the client's certificate, so the refusal looks like any
    // connection that ends before its first answer; which exception that is depends on the moment.
    private static bool MayBeRefusedCertificate(Exception exception, RpcChannel channel)
    {
        if (!channel.IsTls || exception is not HttpRequestException http)
        {
            return false;
        }

        return http.HttpRequestError is HttpRequestError.InvalidResponse or HttpRequestError.ResponseEnded
            || (!channel.HasSpoken
                && http.HttpRequestError is not (
                    HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError));
    }

    private static string FirstLine(Exception exception) => exception is ObjectDisposedException
        ? "the connection was closed"
        : exception.Message.AsSpan().EnumerateLines() is var lines && lines.MoveNext() ? lines.Current.TrimEnd('.').ToString() : "";

    private static bool IsNewsAfter(string last, string message) =>
        !last.Contains(message, StringComparison.Ordinal)
        && !message.StartsWith("An error occurred while sending the request", StringComparison.Ordinal)
        && !message.EndsWith("see inner exception", StringComparison.Ordinal);
}
