namespace Grpc.Core;

/// <summary>What the four call objects share: where to ask for headers, status and trailers, and how to end the call.</summary>
internal readonly struct AsyncCallState
{
    private readonly object? _state;
    private readonly Func<object, Task<Metadata>>? _responseHeadersWithState;
    private readonly Func<object, Status>? _statusWithState;
    private readonly Func<object, Metadata>? _trailersWithState;
    private readonly Action<object>? _disposeWithState;
    private readonly Task<Metadata>? _responseHeaders;
    private readonly Func<Status>? _status;
    private readonly Func<Metadata>? _trailers;
    private readonly Action? _dispose;

    internal AsyncCallState(Task<Metadata> responseHeaders, Func<Status> status, Func<Metadata> trailers, Action dispose)
    {
        _responseHeaders = responseHeaders;
        _status = status;
        _trailers = trailers;
        _dispose = dispose;
    }

    internal AsyncCallState(
        Func<object, Task<Metadata>> responseHeaders,
        Func<object, Status> status,
        Func<object, Metadata> trailers,
        Action<object> dispose,
        object state)
    {
        _state = state;
        _responseHeadersWithState = responseHeaders;
        _statusWithState = status;
        _trailersWithState = trailers;
        _disposeWithState = dispose;
    }

    internal Task<Metadata> ResponseHeadersAsync() => _state is null ? _responseHeaders! : _responseHeadersWithState!(_state);

    internal Status GetStatus() => _state is null ? _status!() : _statusWithState!(_state);

    internal Metadata GetTrailers() => _state is null ? _trailers!() : _trailersWithState!(_state);

    internal void Dispose()
    {
        if (_state is null)
        {
            _dispose!();
        }
        else
        {
            _disposeWithState!(_state);
        }
    }
}
