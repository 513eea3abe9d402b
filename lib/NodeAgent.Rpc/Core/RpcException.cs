namespace Grpc.Core;

/// <summary>A call that did not end in OK. A client receives it; a handler throws it to choose the status of its answer.</summary>
public class RpcException : Exception
{
    /// <summary>Fails with a status and no trailers.</summary>
    public RpcException(Status status)
        : this(status, [])
    {
    }

    /// <summary>Fails with a status; <paramref name="message"/> is for local eyes and does not travel.</summary>
    public RpcException(Status status, string message)
        : this(status, [], message)
    {
    }

    /// <summary>Fails with a status and trailers, which travel.</summary>
    public RpcException(Status status, Metadata trailers)
        : this(status, trailers, status.ToString())
    {
    }

    /// <summary>Fails with a status and trailers, which travel; <paramref name="message"/> does not.</summary>
    public RpcException(Status status, Metadata trailers, string message)
        : base(message, status.DebugException)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        Status = status;
        Trailers = trailers;
    }

    /// <summary>Code and detail.</summary>
    public Status Status { get; }

    /// <summary>The code of <see cref="Status"/>.</summary>
    public StatusCode StatusCode => Status.StatusCode;

    /// <summary>What came, or is to be sent, beside the status.</summary>
    public Metadata Trailers { get; }
}
