using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using NodeAgent.Agent.Gpu.Reader;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Events;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>
/// Keeps a reader reading. The tick looks once a second whether something has to be done, which costs it a few loads; the doing (starting a
/// process, reading /proc) is posted elsewhere. A reader whose call outlives its deadline is abandoned and told to end when it can, never
/// killed: to kill a process inside the driver can freeze the GPU. At most one is left behind; while one is, the GPU it hangs at is left out.
/// </summary>
internal sealed class ReaderSupervisor : IDisposable
{
    internal static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    internal static readonly TimeSpan LongestBackoff = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30); // a cold start on a host that thrashes
    internal static readonly TimeSpan HealthyAfter = TimeSpan.FromSeconds(60);
    internal static readonly TimeSpan CrashExclusion = TimeSpan.FromMinutes(10);
    private const int CrashesUntilExclusion = 3;

    private readonly Func<SharedReadings, IReaderProcess> _start;
    private readonly Func<string?> _findLibrary;
    private readonly Action<Action> _post;
    private readonly TimeProvider _time;
    private readonly TimeSpan _deadline;
    private readonly GpuOrders _orders;
    private readonly GpuEventQueue _events;
    private readonly ILogger _log;
    private readonly long _phaseMs;

    // Touched by the tick while _isActing is false and by the posted work while it is true.
    private volatile bool _isActing;
    private Watched? _current;
    private Watched? _abandoned;
    private TimeSpan _backoff = FirstBackoff;
    private long _startAt;
    private string _lastProblem = "";
    private string _crashedAt = "";
    private int _crashes;
    private long _orderSent;

    /// <param name="start">Starts a reader.</param>
    /// <param name="findLibrary">Path of the library, looked up before each start; null: there is none now.</param>
    /// <param name="post">Runs work off the tick.</param>
    /// <param name="time">Its timestamps are the reader's.</param>
    /// <param name="deadline">How long a call may take.</param>
    /// <param name="phase">Of the agent's tick.</param>
    /// <param name="orders">Which GPUs to leave alone.</param>
    /// <param name="events">Where to report.</param>
    /// <param name="log">The agent's log.</param>
    internal ReaderSupervisor(
        Func<SharedReadings, IReaderProcess> start, Func<string?> findLibrary, Action<Action> post, TimeProvider time, TimeSpan deadline, TimeSpan phase,
        GpuOrders orders, GpuEventQueue events, ILogger log)
    {
        _start = start;
        _findLibrary = findLibrary;
        _post = post;
        _time = time;
        _deadline = deadline;
        _phaseMs = (long)phase.TotalMilliseconds;
        _orders = orders;
        _events = events;
        _log = log;
        _startAt = time.GetTimestamp();
    }

    /// <summary>The reader's memory; null: none runs. Valid until the next <see cref="Check"/>.</summary>
    internal SharedReadings? Current => _current is { IsStalled: false } current ? current.Process.Shared : null;

    /// <summary>Process id of the reader; 0: none.</summary>
    internal int CurrentId => _current?.Process.Id ?? 0;

    /// <summary>A reader runs and its calls return.</summary>
    internal bool IsUp => _current is { IsStalled: false } current && current.Process.Shared.Head.Status == (int)ReaderStatus.Reading;

    /// <summary>A call hangs and no other reader has taken over.</summary>
    internal bool IsStalled => _current is { IsStalled: true };

    /// <summary>The reader has been told all there is to tell.</summary>
    internal bool OrdersAreSent => Volatile.Read(ref _orderSent) == _orders.Number;

    internal int AbandonedCount => _abandoned is null ? 0 : 1;

    internal long Starts { get; private set; }

    internal long Stalls { get; private set; }

    /// <summary>Looks whether something has to be done, and has it done elsewhere. Called on the tick; never waits.</summary>
    internal void Check()
    {
        if (!_isActing && Decide() is { } work)
        {
            Post(work);
        }
    }

    // Apart from Check, and the orders apart from Decide: what a lambda captures is allocated where it is declared, used or not.
    private void Post(Action work)
    {
        _isActing = true;
        _post(() =>
        {
            try
            {
                work();
            }
            finally
            {
                _isActing = false;
            }
        });
    }

    /// <summary>Asks the reader to end; for the agent's own end. Never waits for one that hangs.</summary>
    public void Dispose()
    {
        if (_current is { } current)
        {
            Order(current, ReaderOrder.End);
        }
    }

    private Action? Decide()
    {
        long now = _time.GetTimestamp();
        _orders.Expire(now);
        if (_abandoned is { Process.HasExited: true })
        {
            return ForgetAbandoned;
        }

        if (_current is not { } current)
        {
            return _orders.IsAllReleased || now < _startAt ? null : Start;
        }

        current.Observe(now);
        if (current.Process.HasExited)
        {
            return AfterExit;
        }

        if (!current.IsStalled && current.IsOverdue(now, _deadline, _time))
        {
            return Abandon;
        }

        if (current.IsStalled && current.HasMoved)
        {
            return Resume;
        }

        if (_orders.Number != _orderSent && !current.IsStalled)
        {
            return SendOrders;
        }

        if (_time.GetElapsedTime(current.StartedAt, now) > HealthyAfter)
        {
            _backoff = FirstBackoff;
            _crashes = 0;
        }

        return null;
    }

    private void SendOrders() => Order(_current!, _orders.IsAllReleased ? ReaderOrder.End : ReaderOrder.Read);

    private void Start()
    {
        if (_findLibrary() is not { } library)
        {
            Later(LongestBackoff);
            return;
        }

        SharedReadings shared = SharedReadings.Create();
        try
        {
            Prepare(shared, library);
            IReaderProcess process = _start(shared);
            _current = new Watched(process, _time.GetTimestamp());
            Starts++;
            _log.ReaderStarted(process.Id, library);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException)
        {
            shared.Dispose();
            _log.ReaderNotStarted(e.Message);
            Later(_backoff);
        }
    }

    private unsafe void Prepare(SharedReadings shared, string library)
    {
        SharedReadings.Write(new Span<byte>(shared.HeadPointer->Library, ReadingsHead.PathBytes), library);
        shared.Head.PhaseMs = _phaseMs;
        shared.Head.AgentPid = Environment.ProcessId;
        WriteOrders(shared);
    }

    private void Order(Watched reader, ReaderOrder order)
    {
        ref ReadingsHead head = ref reader.Process.Shared.Head;
        head.Order = (int)order;
        WriteOrders(reader.Process.Shared);
        Volatile.Write(ref head.OrderNumber, head.OrderNumber + 1);
    }

    private void WriteOrders(SharedReadings shared)
    {
        _orderSent = _orders.Number;
        _orders.WriteTo(ref shared.Head);
    }

    private void Abandon()
    {
        Watched current = _current!;
        Stalls++;
        current.IsStalled = true;
        (string call, string pci, string uuid) = _orders.CallOf(current);
        long seconds = (long)current.CallAge(_time).TotalSeconds;
        ProcessEvidence evidence = current.Process.Look();
        bool leave = _abandoned is null;
        string consequence = !leave ? "another one hangs already, so it is waited for" : pci.Length > 0 ? "the GPU is left out, another reader takes the others" : "another reader is started";
        _events.Add(
            GpuEventKind.ReaderStalled, EventSeverity.Error,
            $"{call} has not returned for {seconds} s; {consequence}" + (evidence.Stack.Length > 0 ? "\n" + evidence.Stack : ""),
            ("call", call), ("pci", pci), ("uuid", uuid), ("pid", current.Process.Id.ToString()), ("seconds", seconds.ToString()), ("state", evidence.State), ("wchan", evidence.WaitChannel));
        if (!leave)
        {
            _log.ReaderBlocked(current.Process.Id, call);
            return;
        }

        _log.ReaderStalled(current.Process.Id, call, pci, seconds, evidence.State, evidence.WaitChannel, consequence);
        Order(current, ReaderOrder.End);
        current.StalledCall = call;
        current.StalledPci = pci;
        _abandoned = current;
        _current = null;
        if (pci.Length > 0)
        {
            _orders.Exclude(pci, until: null);
        }

        Later(FirstBackoff);
    }

    private void ForgetAbandoned()
    {
        Watched gone = _abandoned!;
        _abandoned = null;
        long seconds = (long)_time.GetElapsedTime(gone.CallStartedAt).TotalSeconds;
        _events.Add(
            GpuEventKind.ReaderReturned, EventSeverity.Info, $"{gone.StalledCall} returned after {seconds} s", ("call", gone.StalledCall), ("pci", gone.StalledPci), ("seconds", seconds.ToString()));
        _log.ReaderReturned(gone.Process.Id, gone.StalledCall, gone.StalledPci, seconds);
        gone.Process.Dispose();
        _orders.Include(gone.StalledPci);
        if (_current is { IsStalled: true } second)
        {
            // Now that one place is free, the second may be left in its turn.
            second.IsStalled = false;
        }
    }

    private void Resume()
    {
        Watched current = _current!;
        current.IsStalled = false;
        _events.Add(GpuEventKind.ReaderReturned, EventSeverity.Info, "the second reader's call returned", ("pid", current.Process.Id.ToString()));
    }

    private void AfterExit()
    {
        Watched current = _current!;
        _current = null;
        int code = current.Process.ExitCode;
        (string call, string pci, string uuid) = _orders.CallOf(current);
        string problem = ProblemOf(current.Process.Shared);
        if (code == GpuReaderProgram.NeedsRestart)
        {
            ReportUnavailable(problem);
            Later(_backoff);
        }
        else if (code != GpuReaderProgram.Done)
        {
            TimeSpan wait = _backoff;
            _events.Add(
                GpuEventKind.ReaderCrashed, EventSeverity.Error, $"the GPU reader ended with {code} in {call}" + (problem.Length > 0 ? $": {problem}" : ""),
                ("exit", code.ToString()), ("call", call), ("pci", pci), ("uuid", uuid));
            _log.ReaderCrashed(current.Process.Id, code, call, pci, problem, (long)wait.TotalSeconds);
            CountCrash(pci);
            Later(wait);
        }
        else
        {
            _startAt = _time.GetTimestamp();
        }

        current.Process.Dispose();
    }

    /// <summary>Says once for each problem that the driver cannot be used.</summary>
    internal void ReportUnavailable(string problem)
    {
        if (problem.Length > 0 && problem != _lastProblem)
        {
            _lastProblem = problem;
            _log.DriverUnavailable(problem);
            _events.Add(GpuEventKind.DriverUnavailable, EventSeverity.Warning, problem, ("problem", problem));
        }
    }

    /// <summary>It can again.</summary>
    internal void ReportAvailable() => _lastProblem = "";

    private void CountCrash(string pci)
    {
        _crashes = pci == _crashedAt ? _crashes + 1 : 1;
        _crashedAt = pci;
        if (pci.Length > 0 && _crashes >= CrashesUntilExclusion)
        {
            _orders.Exclude(pci, _time.GetTimestamp() + (long)(CrashExclusion.TotalSeconds * _time.TimestampFrequency));
            _crashes = 0;
        }
    }

    private void Later(TimeSpan wait)
    {
        _startAt = _time.GetTimestamp() + (long)(wait.TotalSeconds * _time.TimestampFrequency);
        _backoff = wait * 2 < LongestBackoff ? wait * 2 : LongestBackoff;
    }

    private static unsafe string ProblemOf(SharedReadings shared) => SharedReadings.Read(new ReadOnlySpan<byte>(shared.HeadPointer->Problem, ReadingsHead.PathBytes));
}
