using System.Globalization;
using Grpc.Core;

namespace NodeAgent.Rpc.Wire;

/// <summary>Statuses of other layers as gRPC codes (grpc/grpc: doc/http-grpc-status-mapping.md and doc/PROTOCOL-HTTP2.md,
/// "Errors").</summary>
internal static class StatusMapping
{
    /// <summary>An answer that is not gRPC at all, usually from something between the two programs.</summary>
    internal static StatusCode FromHttpStatus(int httpStatus) => httpStatus switch
    {
        400 or 431 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    /// <summary>A stream that the peer reset.</summary>
    internal static StatusCode FromHttp2Error(long errorCode) => errorCode switch
    {
        0x7 => StatusCode.Unavailable, // REFUSED_STREAM: nothing was done, retrying is safe
        0x8 => StatusCode.Cancelled, // CANCEL
        0xb => StatusCode.ResourceExhausted, // ENHANCE_YOUR_CALM
        0xc => StatusCode.PermissionDenied, // INADEQUATE_SECURITY
        _ => StatusCode.Internal,
    };

    /// <summary>The text of grpc-status. Unknown numbers are UNKNOWN, as the specification asks; text that is no number is null.</summary>
    internal static StatusCode? Parse(string? text)
    {
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int code))
        {
            return null;
        }

        return code is >= 0 and <= 16 ? (StatusCode)code : StatusCode.Unknown;
    }

    internal static string Format(StatusCode code) => ((int)code).ToString(CultureInfo.InvariantCulture);
}
