using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Lifetime;

/// <summary>
/// When this process should stop. SIGTERM, SIGINT and SIGQUIT (on Windows Ctrl+C, Ctrl+Break, closing the console, shutdown) cancel
/// <see cref="Stopping"/>; another one more than <see cref="SameWish"/> later, or the end of the stop timeout, ends the process at once.
/// SIGHUP asks for a reload. Also the last witness: an exception nobody caught is logged before the process dies of it.
/// Create one, early, in Program.
/// </summary>
public sealed class ProcessLifetime : IDisposable
{
    /// <summary>
    /// Signals this close together are one wish: Ctrl+C reaches the whole process group, and a script that traps it forwards a SIGTERM
    /// to us as well.
    /// </summary>
    public static readonly TimeSpan SameWish = TimeSpan.FromSeconds(1);

    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly ProcessLifetimeOptions _options;
    private readonly CancellationTokenSource _stopping = new(); // never disposed: it has no timer, and its callbacks may still run
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _gate = new();
    private ITimer? _deadline; // under _gate
    private string? _stopReason; // under _gate
    private long? _firstSignalAt; // under _gate
    private bool _disposed; // under _gate
    private Action? _reload;

    /// <summary>Starts to listen for signals and for exceptions nobody caught.</summary>
    public ProcessLifetime(ILogger log, TimeProvider time, ProcessLifetimeOptions options)
    {
        _log = log;
        _time = time;
        _options = options;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => TakeStop(context, "SIGTERM", 15)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => TakeStop(context, "SIGINT", 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => TakeStop(context, "SIGQUIT", 3)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, TakeHangup),
        ];
        AppDomain.CurrentDomain.UnhandledException += OnUnhandled;
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    /// <summary>Cancelled when the process should stop: take no more work, flush, leave within the stop timeout.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Why it stops, null while it should not.</summary>
    public string? StopReason
    {
        get
        {
            lock (_gate)
            {
                return _stopReason;
            }
        }
    }

    /// <summary>
    /// Sets what SIGHUP does; runs on a pool thread, and may run again before it has ended. Without it SIGHUP is logged and ignored,
    /// because its default action would end the process.
    /// </summary>
    public void OnReload(Action reload) => Volatile.Write(ref _reload, reload);

    /// <summary>Asks for a stop from inside. Only the first reason counts.</summary>
    public void RequestStop(string reason)
    {
        lock (_gate)
        {
            if (_stopReason is not null || _disposed)
            {
                return;
            }

            _stopReason = reason;
            _deadline = _time.CreateTimer(_ => TimedOut(), null, _options.StopTimeout, Timeout.InfiniteTimeSpan);
        }

        _log.StopRequested(reason, _options.StopTimeout);
        _options.Notifier?.Stopping($"stopping: {reason}");
        _ = CancelAsync();
    }

    /// <summary>Stops listening and disarms the stop timeout: the work has ended in time.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        AppDomain.CurrentDomain.UnhandledException -= OnUnhandled;
        TaskScheduler.UnobservedTaskException -= OnUnobserved;
        lock (_gate)
        {
            _disposed = true;
            _deadline?.Dispose();
        }
    }

    internal void TakeStop(string signal, int number)
    {
        bool second = IsSecondWish();
        RequestStop(signal);
        if (second)
        {
            _log.StopForced(signal);
            _options.FlushLog();
            _options.ExitNow(128 + number);
        }
    }

    internal void TakeReload()
    {
        if (Volatile.Read(ref _reload) is not { } reload)
        {
            _log.ReloadUnsupported();
            return;
        }

        _log.ReloadRequested();
        ThreadPool.QueueUserWorkItem(static action => action(), reload, preferLocal: false);
    }

    private bool IsSecondWish()
    {
        lock (_gate)
        {
            long now = _time.GetTimestamp();
            _firstSignalAt ??= now;
            return !_disposed && _time.GetElapsedTime(_firstSignalAt.Value, now) > SameWish;
        }
    }

    /// <summary>Whoever waits on the token runs on the pool, never on the thread that has to see the second signal.</summary>
    private async Task CancelAsync()
    {
        try
        {
            await _stopping.CancelAsync().ConfigureAwait(false);
        }
        catch (AggregateException thrown)
        {
            foreach (Exception one in thrown.InnerExceptions)
            {
                _log.StopCallbackFailed(one);
            }
        }
    }

    private void TakeStop(PosixSignalContext context, string signal, int number)
    {
        context.Cancel = true;
        TakeStop(signal, number);
    }

    private void TakeHangup(PosixSignalContext context)
    {
        context.Cancel = true;
        if (OperatingSystem.IsWindows())
        {
            TakeStop("console closed", 1); // what .NET reports as SIGHUP there; nobody sends it to ask for a reload
        }
        else
        {
            TakeReload();
        }
    }

    private void TimedOut()
    {
        _log.StopTimedOut(_options.StopTimeout);
        _options.FlushLog();
        _options.ExitNow((int)ExitCode.StopTimedOut);
    }

    private void OnUnhandled(object sender, UnhandledExceptionEventArgs args)
    {
        _log.UnhandledException(args.ExceptionObject as Exception);
        _options.FlushLog();
    }

    private void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs args)
    {
        _log.UnobservedTaskException(args.Exception);
        args.SetObserved();
    }
}
