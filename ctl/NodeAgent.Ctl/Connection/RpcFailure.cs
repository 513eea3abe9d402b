using System.Net.Sockets;
using System.Security.Authentication;
using Grpc.Core;

namespace NodeAgent.Ctl.Connection;

/// <summary>Turns a gRPC status into what a person needs to know.</summary>
internal static class RpcFailure
{
    /// <param name="what">What was tried: "cannot list nodes".</param>
    /// <param name="failure">The call's status.</param>
    /// <param name="settings">Names the address and the time limit in the text.</param>
    public static CtlException Explain(string what, RpcException failure, ConnectionSettings settings)
    {
        string detail = Continue(failure.Status.Detail);
        string server = settings.Server.Authority;
        return failure.StatusCode switch
        {
            StatusCode.Unavailable => Unavailable(what, failure, settings),
            StatusCode.Unauthenticated => new(ExitCode.Denied, what, Or(detail, "the aggregator wants an identity"),
                settings.CertificatePath is null ? "Give --cert and --key, or set them in the profile." : "Run 'nodectl doctor' to see what is wrong with the certificate.", failure),
            StatusCode.PermissionDenied => new(ExitCode.Denied, what, Or(detail, "this identity may not do that"), "Use an identity with a higher role.", failure),
            StatusCode.NotFound => new(ExitCode.NotFound, what, Or(detail, "not found"), null, failure),
            StatusCode.InvalidArgument or StatusCode.OutOfRange => new(ExitCode.Usage, what, Or(detail, "the aggregator did not understand it"), null, failure),
            StatusCode.FailedPrecondition => new(ExitCode.Failure, what, Or(detail, "the fleet is not in a state for that"), null, failure),
            StatusCode.DeadlineExceeded => new(ExitCode.Deadline, what, $"no answer from {server} within {Text.DurationText.Exact(settings.Timeout)}", "Give more time with --timeout, or ask for less.", failure),
            StatusCode.Unimplemented => new(ExitCode.Failure, what, $"{server} does not offer this{(detail.Length > 0 ? $" ({detail})" : "")}", "Is it an aggregator of this version? Try 'nodectl version' and 'nodectl status'.", failure),
            StatusCode.ResourceExhausted => new(ExitCode.Failure, what, Or(detail, "a limit of the aggregator was reached"), "Ask for less: a narrower selector, a longer step, a --limit.", failure),
            _ => new(ExitCode.Failure, what, $"{Or(detail, "the aggregator failed")} ({failure.StatusCode})", null, failure),
        };
    }

    private static CtlException Unavailable(string what, RpcException failure, ConnectionSettings settings)
    {
        string server = settings.Server.Authority;
        Exception? cause = failure.Status.DebugException ?? failure.InnerException;
        if (Find<AuthenticationException>(cause) is { } tls) return Tls(what, tls, settings, failure);

        if (Find<SocketException>(cause) is { } socket)
        {
            (string why, string remedy) = Reason(socket.SocketErrorCode, settings);
            return new CtlException(ExitCode.Unavailable, what, why, remedy, failure);
        }

        string detail = Or(Continue(failure.Status.Detail), "the connection was lost");
        return new CtlException(ExitCode.Unavailable, what, $"{server} is not available ({detail})", "Try again; 'nodectl doctor' checks each step of the way.", failure);
    }

    /// <summary>Why a socket did not connect, and what helps.</summary>
    internal static (string Why, string Remedy) Reason(SocketError error, ConnectionSettings settings)
    {
        string server = settings.Server.Authority;
        return error switch
        {
            SocketError.ConnectionRefused => ($"connection refused by {server} (address from {settings.ServerSource})",
                "Start the aggregator there, or name another with --server."),
            SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => ($"no address for the host '{settings.Server.Host}' (from {settings.ServerSource})",
                "Check the spelling and the name service."),
            SocketError.TimedOut => ($"no answer from {server}", "A firewall may drop the packets; check the port and the route."),
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => ($"no route to {server}", "Check the network."),
            SocketError.ConnectionReset => ($"{server} closed the connection", settings.Server.Plaintext
                ? "It may expect TLS: try without --plaintext." : "It may not speak TLS, or it refused the certificate; run 'nodectl doctor'."),
            _ => ($"cannot connect to {server} ({error})", "Run 'nodectl doctor'."),
        };
    }

    private static CtlException Tls(string what, AuthenticationException tls, ConnectionSettings settings, RpcException failure)
    {
        string inner = (tls.InnerException?.Message ?? tls.Message).Trim();
        string remedy = settings.CaPath is null
            ? "Give the fleet's CA with --ca."
            : $"Is {settings.CaPath} the CA of this fleet? Run 'nodectl doctor'.";
        return new CtlException(ExitCode.Unavailable, what, $"no TLS connection with {settings.Server.Authority} ({inner})", remedy, failure);
    }

    private static T? Find<T>(Exception? failure)
        where T : Exception
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is T found) return found;
        }

        return null;
    }

    // The server writes sentences; behind our colon one goes on in lower case. An acronym or a name keeps its capitals.
    private static string Continue(string detail)
    {
        detail = detail.Trim();
        return detail.Length > 1 && char.IsUpper(detail[0]) && (char.IsLower(detail[1]) || detail[1] == ' ') ? char.ToLowerInvariant(detail[0]) + detail[1..] : detail;
    }

    private static string Or(string detail, string otherwise) => detail.Length == 0 ? otherwise : detail;
}
