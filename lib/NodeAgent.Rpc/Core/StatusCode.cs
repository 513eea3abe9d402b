namespace Grpc.Core;

/// <summary>The canonical result of a call. The numbers are the wire values of the trailer <c>grpc-status</c>.</summary>
public enum StatusCode
{
    /// <summary>The call did what it promised.</summary>
    OK = 0,

    /// <summary>The caller gave the call up.</summary>
    Cancelled = 1,

    /// <summary>No more precise code applies; also the answer to an exception that a handler let escape.</summary>
    Unknown = 2,

    /// <summary>The request can never be right, whatever the state of the server.</summary>
    InvalidArgument = 3,

    /// <summary>The deadline passed first. The work may nevertheless have been done.</summary>
    DeadlineExceeded = 4,

    /// <summary>The thing asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>The thing to be made exists already.</summary>
    AlreadyExists = 6,

    /// <summary>The caller is known and may not do this.</summary>
    PermissionDenied = 7,

    /// <summary>A quota, a size limit or a memory bound was reached.</summary>
    ResourceExhausted = 8,

    /// <summary>The state of the system forbids it; retrying helps only after that state changed.</summary>
    FailedPrecondition = 9,

    /// <summary>Lost against a concurrent change; the caller may start over.</summary>
    Aborted = 10,

    /// <summary>Past the valid range, which may still grow.</summary>
    OutOfRange = 11,

    /// <summary>The server has no such method, or not with this encoding.</summary>
    Unimplemented = 12,

    /// <summary>An invariant of the protocol or of the server is broken.</summary>
    Internal = 13,

    /// <summary>The server cannot be reached or is going away; retry with backoff.</summary>
    Unavailable = 14,

    /// <summary>Data was lost or damaged for good.</summary>
    DataLoss = 15,

    /// <summary>The caller did not prove who it is.</summary>
    Unauthenticated = 16,
}
