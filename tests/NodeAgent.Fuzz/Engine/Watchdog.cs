namespace NodeAgent.Fuzz.Engine;

/// <summary>
/// Ends the process when one input takes too long. A parser that loops cannot be interrupted in .NET, so the report and the exit
/// come from a timer's thread.
/// </summary>
internal sealed class Watchdog : IDisposable
{
    /// <summary>Ten thousand times what the slowest target needs for one input; a busy machine does not come near it.</summary>
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly FailureReport _report;
    private readonly TimeProvider _time;
    private readonly Action<int> _exit;
    private readonly ITimer _timer;
    private Watched? _current;

    internal Watchdog(FailureReport report, TimeProvider time, Action<int>? exit = null)
    {
        _report = report;
        _time = time;
        _exit = exit ?? Environment.Exit;
        _timer = time.CreateTimer(_ => Look(), null, Beat, Beat);
    }

    internal void Enter(FuzzInput input) => Volatile.Write(ref _current, new Watched(input, _time.GetTimestamp()));

    internal void Leave() => Volatile.Write(ref _current, null);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (Volatile.Read(ref _current) is { } watched && _time.GetElapsedTime(watched.Since) > Limit)
        {
            Leave(); // one report, also where exiting takes longer than a beat
            _report.Failed(watched.Input, $"no answer within {Limit.TotalSeconds} s");
            _exit(1);
        }
    }

    private sealed record Watched(FuzzInput Input, long Since);
}
