namespace NodeAgent.Rpc.Wire;

/// <summary>The header and trailer names of gRPC over HTTP/2 (grpc/grpc: doc/PROTOCOL-HTTP2.md).</summary>
internal static class RpcHeaderNames
{
    internal const string ContentType = "application/grpc";
    internal const string Status = "grpc-status";
    internal const string Message = "grpc-message";
    internal const string Encoding = "grpc-encoding";
    internal const string AcceptEncoding = "grpc-accept-encoding";
    internal const string Timeout = "grpc-timeout";
    internal const string Gzip = "gzip";
    internal const string Identity = "identity";

    /// <summary>What this implementation can decode.</summary>
    internal const string AcceptedEncodings = "identity,gzip";

    /// <summary>application/grpc, alone or followed by +format or ;parameter. application/grpc-web is another protocol.</summary>
    internal static bool IsRpcContentType(string? contentType)
    {
        if (contentType is null || !contentType.StartsWith(ContentType, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        return contentType.Length == ContentType.Length || contentType[ContentType.Length] is '+' or ';' or ' ';
    }

    /// <summary>Whether the transport owns this name, so that it is neither taken from nor given to a caller as metadata.</summary>
    internal static bool IsReserved(string name) =>
        name.StartsWith(':')
        || (name.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase) && !IsOpenGrpcName(name))
        || name.Equals("te", StringComparison.OrdinalIgnoreCase)
        || name.Equals("host", StringComparison.OrdinalIgnoreCase)
        || name.Equals("connection", StringComparison.OrdinalIgnoreCase)
        || name.Equals("content-type", StringComparison.OrdinalIgnoreCase)
        || name.Equals("content-length", StringComparison.OrdinalIgnoreCase)
        || name.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase);

    // Carried for applications although they start with the reserved prefix.
    private static bool IsOpenGrpcName(string name) =>
        name.Equals("grpc-status-details-bin", StringComparison.OrdinalIgnoreCase)
        || name.Equals("grpc-tags-bin", StringComparison.OrdinalIgnoreCase)
        || name.Equals("grpc-trace-bin", StringComparison.OrdinalIgnoreCase);
}
