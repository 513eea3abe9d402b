using System.Diagnostics.CodeAnalysis;

namespace NodeAgent.Aggregator.Fleet;

/// <summary>
/// One agent's one stream. A newer stream of the same agent displaces it and waits until it has let go, so that a node's state
/// never has two writers.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing, and a newer session may cancel it at any moment.")]
internal sealed class LinkSession
{
    private readonly CancellationTokenSource _displaced = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A newer stream has taken this one's place.</summary>
    internal CancellationToken Displaced => _displaced.Token;

    /// <summary>Asks it to end; completes when it has.</summary>
    internal async Task DisplaceAsync()
    {
        await _displaced.CancelAsync().ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
    }

    /// <summary>The stream's handler touches the node no more.</summary>
    internal void End() => _ended.TrySetResult();
}
