using Grpc.Core;
using Grpc.Health.V1;
using static Grpc.Health.V1.HealthCheckResponse.Types;

namespace NodeAgent.Rpc.Server.Health;

/// <summary>
/// grpc.health.v1: what load balancers and probes ask. The server as a whole is the service with the empty name and is SERVING until
/// something else is set; a service that was never set is unknown. When the server drains, everything is NOT_SERVING.
/// </summary>
public sealed class HealthService : Grpc.Health.V1.Health.HealthBase
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ServingStatus> _statuses = new(StringComparer.Ordinal) { [""] = ServingStatus.Serving };

    // Completed and replaced with every change. One for all watchers: they are few and changes are rare.
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _stopping;

    /// <summary>Sets the state of a service, or of the server as a whole with the empty name. Ignored once the server stops.</summary>
    public void Set(string service, ServingStatus status)
    {
        ArgumentNullException.ThrowIfNull(service);
        lock (_lock)
        {
            if (!_stopping)
            {
                _statuses[service] = status;
                SignalNeedsLock();
            }
        }
    }

    /// <summary>The state of a service; null when it was never set.</summary>
    public ServingStatus? Get(string service)
    {
        lock (_lock)
        {
            return _statuses.TryGetValue(service, out ServingStatus status) ? status : null;
        }
    }

    /// <inheritdoc/>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Get(request.Service) is { } status
            ? Task.FromResult(new HealthCheckResponse { Status = status })
            : throw new RpcException(new Status(StatusCode.NotFound, $"The service '{request.Service}' is not known here."));

    /// <inheritdoc/>
    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        ServingStatus? told = null;
        while (true)
        {
            // Coalesces: a watcher that is slow learns the newest state, not every state in between.
            (ServingStatus status, Task changed, bool stopping) = Snapshot(request.Service);
            if (status != told)
            {
                told = status;
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }).ConfigureAwait(false);
            }

            if (stopping)
            {
                throw new RpcException(new Status(StatusCode.Unavailable, "The server is stopping."));
            }

            await changed.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Everything is NOT_SERVING from now on, and watchers end after they were told.</summary>
    internal void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
            foreach (string service in _statuses.Keys.ToArray())
            {
                _statuses[service] = ServingStatus.NotServing;
            }

            SignalNeedsLock();
        }
    }

    private (ServingStatus Status, Task Changed, bool Stopping) Snapshot(string service)
    {
        lock (_lock)
        {
            return (_statuses.GetValueOrDefault(service, ServingStatus.ServiceUnknown), _changed.Task, _stopping);
        }
    }

    private void SignalNeedsLock()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
