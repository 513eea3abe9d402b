using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace NodeAgent.Hosting.Lifetime;

/// <summary>
/// When this process should stop. SIGTERM, SIGINT and SIGQUIT (and a console's Ctrl+C) cancel <see cref="Stopping"/>; a second one, or
/// the end of the stop timeout, ends the process at once. SIGHUP asks for a reload. Create one, early, in Program.
/// </summary>
public sealed class ProcessLifetime : IDisposable
{
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly ProcessLifetimeOptions _options;
    private readonly CancellationTokenSource _stopping = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Lock _gate = new();
    private ITimer? _deadline; // under _gate
    private string? _stopReason; // under _gate
    private Action? _reload;

    /// <summary>Starts to listen for signals.</summary>
    public ProcessLifetime(ILogger log, TimeProvider time, ProcessLifetimeOptions options)
    {
        _log = log;
        _time = time;
        _options = options;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Take(context, "SIGTERM", 15)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Take(context, "SIGINT", 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGQUIT, context => Take(context, "SIGQUIT", 3)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, TakeReload),
        ];
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
    /// Sets what SIGHUP does; runs on a pool thread, one at a time is up to it. Without it SIGHUP is taken and logged, because its
    /// default action would end the process.
    /// </summary>
    public void OnReload(Action reload) => Volatile.Write(ref _reload, reload);

    /// <summary>Asks for a stop from inside. Only the first reason counts.</summary>
    public void RequestStop(string reason)
    {
        lock (_gate)
        {
            if (_stopReason is not null)
            {
                return;
            }

            _stopReason = reason;
            _deadline = _time.CreateTimer(_ => TimedOut(), null, _options.StopTimeout, Timeout.InfiniteTimeSpan);
        }

        _log.StopRequested(reason, _options.StopTimeout);
        _options.Notifier?.Stopping($"stopping: {reason}");

        // Whoever waits on the token runs on the pool, not on the thread that has to see the second signal.
        _ = _stopping.CancelAsync();
    }

    /// <summary>Stops listening and disarms the stop timeout: the work has ended in time.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        lock (_gate)
        {
            _deadline?.Dispose();
        }

        _stopping.Dispose();
    }

    internal void TakeSignal(string name, int number)
    {
        if (StopReason is null)
        {
            RequestStop(name);
            return;
        }

        _log.StopForced(name);
        _options.ExitNow(128 + number);
    }

    internal void TakeReload()
    {
        Action? reload = Volatile.Read(ref _reload);
        if (reload is null)
        {
            _log.ReloadUnsupported();
            return;
        }

        _log.ReloadRequested();
        ThreadPool.QueueUserWorkItem(static action => action(), reload, preferLocal: false);
    }

    private void Take(PosixSignalContext context, string name, int number)
    {
        context.Cancel = true;
        TakeSignal(name, number);
    }

    private void TakeReload(PosixSignalContext context)
    {
        context.Cancel = true;
        TakeReload();
    }

    private void TimedOut()
    {
        _log.StopTimedOut(_options.StopTimeout);
        _options.ExitNow((int)ExitCode.StopTimedOut);
    }
}
