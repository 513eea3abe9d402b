namespace NodeAgent.Testing;

/// <summary>
/// Stops code at a known place, so that a race is written down instead of hoped for: the code calls <see cref="WaitToContinue"/>, the
/// test waits with <see cref="WaitForSyncPoint"/> until it got there, changes the world, and lets it go with <see cref="Continue"/>.
/// One use each.
/// </summary>
public sealed class SyncPoint
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True once the code is at the point.</summary>
    public bool IsReached => _reached.Task.IsCompleted;

    /// <summary>The test: waits until the code is at the point; a hang ends after <paramref name="timeout"/> (default 10 s, real time).</summary>
    public Task WaitForSyncPoint(TimeSpan? timeout = null) => _reached.Task.WaitAsync(timeout ?? TimeSpan.FromSeconds(10));

    /// <summary>The test: lets the code go on.</summary>
    public void Continue() => _released.TrySetResult();

    /// <summary>The code: tells that it is here and waits to be let go.</summary>
    public Task WaitToContinue()
    {
        _reached.TrySetResult();
        return _released.Task;
    }

    /// <summary>As <see cref="WaitToContinue"/>, for code that is not async; blocks its thread.</summary>
    public void BlockUntilContinued() => WaitToContinue().GetAwaiter().GetResult();
}
