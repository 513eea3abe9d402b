using Microsoft.Extensions.Hosting;
using NodeAgent.Hosting.Lifetime;

namespace NodeAgent.Aggregator;

/// <summary>Signals are <see cref="ProcessLifetime"/>'s; the host's own handler would stop before the log says why.</summary>
internal sealed class NoSignals : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
