namespace Grpc.Core;

/// <summary>What a caller may choose for one call.</summary>
/// <param name="headers">Sent before the first message.</param>
/// <param name="deadline">UTC; null waits without end. The server learns the time left.</param>
/// <param name="cancellationToken">Ends the call with CANCELLED.</param>
/// <param name="writeOptions">Defaults for the writes of this call.</param>
/// <param name="credentials">Adds metadata that proves who calls.</param>
#pragma warning disable CA1068 // The order of the parameters is the official API's.
public readonly struct CallOptions(
    Metadata? headers = null,
    DateTime? deadline = null,
    CancellationToken cancellationToken = default,
    WriteOptions? writeOptions = null,
    CallCredentials? credentials = null)
#pragma warning restore CA1068
{
    /// <summary>Sent before the first message.</summary>
    public Metadata? Headers { get; private init; } = headers;

    /// <summary>UTC; null waits without end.</summary>
    public DateTime? Deadline { get; private init; } = deadline;

    /// <summary>Ends the call with CANCELLED.</summary>
    public CancellationToken CancellationToken { get; private init; } = cancellationToken;

    /// <summary>Defaults for the writes of this call.</summary>
    public WriteOptions? WriteOptions { get; private init; } = writeOptions;

    /// <summary>Adds metadata that proves who calls.</summary>
    public CallCredentials? Credentials { get; private init; } = credentials;

    /// <summary>The same with other headers.</summary>
    public CallOptions WithHeaders(Metadata headers) => this with { Headers = headers };

    /// <summary>The same with another deadline, in UTC.</summary>
    public CallOptions WithDeadline(DateTime deadline) => this with { Deadline = deadline };

    /// <summary>The same with another token.</summary>
    public CallOptions WithCancellationToken(CancellationToken cancellationToken) => this with { CancellationToken = cancellationToken };

    /// <summary>The same with other write options.</summary>
    public CallOptions WithWriteOptions(WriteOptions writeOptions) => this with { WriteOptions = writeOptions };

    /// <summary>The same with other credentials.</summary>
    public CallOptions WithCredentials(CallCredentials credentials) => this with { Credentials = credentials };
}
