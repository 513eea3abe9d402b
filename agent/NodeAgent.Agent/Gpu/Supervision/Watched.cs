using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>A reader and what was last seen of its progress.</summary>
internal sealed class Watched(IReaderProcess process, long startedAt)
{
    private long _returned;
    private long _aliveAt;
    private long _progressAt = startedAt;
    private long _returnedAtStall;

    internal IReaderProcess Process { get; } = process;

    internal long StartedAt { get; } = startedAt;

    /// <summary>When the call under way began, or the last sign of life.</summary>
    internal long CallStartedAt { get; private set; } = startedAt;

    internal string StalledCall { get; set; } = "";

    internal string StalledPci { get; set; } = "";

    /// <summary>Its call has outlived the deadline.</summary>
    internal bool IsStalled
    {
        get;
        set
        {
            field = value;
            _returnedAtStall = Volatile.Read(ref Process.Shared.Head.Call.Returned);
        }
    }

    /// <summary>Calls have returned since it stalled.</summary>
    internal bool HasMoved => Volatile.Read(ref Process.Shared.Head.Call.Returned) != _returnedAtStall;

    internal void Observe(long now)
    {
        ref ReadingsHead head = ref Process.Shared.Head;
        long returned = Volatile.Read(ref head.Call.Returned);
        long aliveAt = Volatile.Read(ref head.AliveAt);
        if (returned != _returned || aliveAt != _aliveAt)
        {
            _returned = returned;
            _aliveAt = aliveAt;
            _progressAt = now;
        }
    }

    /// <summary>
    /// Whether a call has been under way for too long, or the process shows no life at all (stopped, starved, or at fault itself). The
    /// wait for events may take a beat longer than other calls.
    /// </summary>
    internal bool IsOverdue(long now, TimeSpan deadline, TimeProvider time)
    {
        ref ReadingsHead head = ref Process.Shared.Head;
        NvmlCall call = (NvmlCall)Volatile.Read(ref head.Call.Call);
        long since = Volatile.Read(ref head.Call.StartedAt);
        if (call != NvmlCall.None)
        {
            CallStartedAt = since;
            TimeSpan allowed = call == NvmlCall.EventSetWait ? deadline + TimeSpan.FromSeconds(2) : deadline;
            return time.GetElapsedTime(since, now) > allowed;
        }

        CallStartedAt = _progressAt;
        TimeSpan silence = _aliveAt == 0 ? deadline + ReaderSupervisor.StartLimit : deadline + TimeSpan.FromSeconds(5);
        return time.GetElapsedTime(_progressAt, now) > silence;
    }

    internal TimeSpan CallAge(TimeProvider time) => time.GetElapsedTime(CallStartedAt);
}
