namespace NodeAgent.Rpc.Blocking.Http2;

/// <summary>The peer broke the protocol; the connection ends with this code. Never leaves <see cref="BlockingConnection"/>.</summary>
internal sealed class Http2Exception(Http2Error error, string message) : Exception(message)
{
    internal Http2Error Error { get; } = error;
}
