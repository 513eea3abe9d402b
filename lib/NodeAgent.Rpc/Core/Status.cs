namespace Grpc.Core;

/// <summary>How a call ended: a code for programs, a sentence for people.</summary>
/// <param name="statusCode">The canonical code.</param>
/// <param name="detail">Sent percent-encoded as <c>grpc-message</c>; empty when there is nothing to add.</param>
/// <param name="debugException">Stays in this process: what caused a status that was made here. Never sent.</param>
public readonly struct Status(StatusCode statusCode, string detail, Exception? debugException) : IEquatable<Status>
{
    /// <summary>Success without detail.</summary>
    public static readonly Status DefaultSuccess = new(StatusCode.OK, "");

    /// <summary>A call that its caller gave up, without detail.</summary>
    public static readonly Status DefaultCancelled = new(StatusCode.Cancelled, "");

    private readonly string? _detail = detail;

    /// <summary>A status without a local cause.</summary>
    public Status(StatusCode statusCode, string detail)
        : this(statusCode, detail, null)
    {
    }

    /// <summary>The canonical code.</summary>
    public StatusCode StatusCode { get; } = statusCode;

    /// <summary>Never null; empty when there is nothing to say.</summary>
    public string Detail => _detail ?? "";

    /// <summary>The local cause of a status made by this process, or null. Never travels.</summary>
    public Exception? DebugException { get; } = debugException;

    /// <summary>Same code and same detail; the local cause does not count.</summary>
    public static bool operator ==(Status left, Status right) => left.Equals(right);

    /// <summary>Different code or detail.</summary>
    public static bool operator !=(Status left, Status right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(Status other) => StatusCode == other.StatusCode && Detail == other.Detail;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Status other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(StatusCode, Detail);

    /// <inheritdoc/>
    public override string ToString()
    {
        string cause = DebugException is null ? "" : $", DebugException=\"{DebugException.GetType()}: {DebugException.Message}\"";
        return $"Status(StatusCode=\"{StatusCode}\", Detail=\"{Detail}\"{cause})";
    }
}
