namespace NodeAgent.Hosting.Windows;

/// <summary>Takes a service's state: the service control manager, or a test.</summary>
/// <param name="status">As SetServiceStatus takes it.</param>
internal delegate void TakeServiceStatus(in ServiceStatus status);

/// <summary>SERVICE_STATUS of winsvc.h: seven 32-bit words.</summary>
internal struct ServiceStatus
{
    public uint ServiceType;
    public uint CurrentState;
    public uint ControlsAccepted;
    public uint Win32ExitCode;
    public uint ServiceSpecificExitCode;
    public uint CheckPoint;
    public uint WaitHintMs;
}

/// <summary>
/// What the service control manager is told and when: starting until the program is ready, running, stopping with a rising check point as long
/// as it takes, and stopped once, with the exit code. Knows no Windows call, so it is tested anywhere. Safe from any thread.
/// </summary>
internal sealed class WindowsServiceState(TakeServiceStatus take)
{
    // winsvc.h and winerror.h
    internal const uint OwnProcess = 0x10;
    internal const uint Stopped = 1;
    internal const uint StartPending = 2;
    internal const uint StopPending = 3;
    internal const uint Running = 4;
    internal const uint AcceptStop = 0x1;
    internal const uint AcceptShutdown = 0x4;
    internal const uint AcceptParameterChange = 0x8;
    internal const uint ServiceSpecificError = 1066;

    // How long the manager waits for the next word before it takes us for hung: longer than a start with a full spool, and than the 20 s
    // that a stop gives itself.
    private const uint StartHintMs = 60_000;
    private const uint StopHintMs = 30_000;

    private readonly Lock _gate = new();
    private uint _state; // under _gate
    private uint _checkPoint; // under _gate

    internal void Starting() => Move(StartPending, 0, StartHintMs);

    internal void Ready() => Move(Running, AcceptStop | AcceptShutdown | AcceptParameterChange, 0);

    internal void Stopping() => Move(StopPending, 0, StopHintMs);

    /// <summary>The end; later words are not passed on. Another exit code than 0 makes the manager's recovery start the service again.</summary>
    internal void Ended(int exitCode)
    {
        lock (_gate)
        {
            if (_state == Stopped)
            {
                return;
            }

            _state = Stopped;
            take(new ServiceStatus
            {
                ServiceType = OwnProcess,
                CurrentState = Stopped,
                Win32ExitCode = exitCode == 0 ? 0 : ServiceSpecificError,
                ServiceSpecificExitCode = (uint)exitCode,
            });
        }
    }

    /// <summary>Says again what holds: what the manager asks for by SERVICE_CONTROL_INTERROGATE.</summary>
    internal void Repeat()
    {
        lock (_gate)
        {
            if (_state is Running)
            {
                take(new ServiceStatus { ServiceType = OwnProcess, CurrentState = Running, ControlsAccepted = AcceptStop | AcceptShutdown | AcceptParameterChange });
            }
        }
    }

    private void Move(uint state, uint accepted, uint hintMs)
    {
        lock (_gate)
        {
            // A stop that was asked for while starting goes on; ready comes too late then.
            if (_state == Stopped || (_state == StopPending && state != StopPending))
            {
                return;
            }

            _checkPoint = state is Running ? 0 : _state == state ? _checkPoint + 1 : 1;
            _state = state;
            take(new ServiceStatus { ServiceType = OwnProcess, CurrentState = state, ControlsAccepted = accepted, CheckPoint = _checkPoint, WaitHintMs = hintMs });
        }
    }
}
