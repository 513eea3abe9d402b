using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Agent.Gpu.Reader;

/// <summary>
/// The reader's one thread: once a second it reads what is due, and between two readings it waits in NVML for an event, so that the wait
/// for the next beat is the wait for events and there is one wake-up a second. It reads a little before the agent's tick, which then finds
/// values that are a fraction of a second old.
/// </summary>
internal sealed class GpuReader(SharedReadings shared, TimeProvider time, Func<int, bool> isOrphan)
{
    /// <summary>How long before the agent's tick a reading begins: time for eight GPUs at a healthy driver's pace.</summary>
    internal static readonly TimeSpan Lead = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan[] Intervals = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60)];

    // A driver that is being installed or loaded comes within minutes; asking costs an open of /dev/nvidiactl.
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestRetry = TimeSpan.FromSeconds(30);

    private readonly object _rest = new();
    private readonly KnownGpus _known = new();
    private readonly long[] _due = new long[GpuBlock.Tiers];
    private NvmlLibrary? _library;
    private ReaderGeneration? _generation;
    private GenerationReason _reason = GenerationReason.Started;
    private TimeSpan _retry = FirstRetry;
    private long _retryAtMs;
    private long _order = -1;

    /// <summary>Runs until told to end; gives the exit code.</summary>
    internal unsafe int Run()
    {
        ref ReadingsHead head = ref shared.Head;
        head.Pid = Environment.ProcessId;
        string path = SharedReadings.Read(new ReadOnlySpan<byte>(shared.HeadPointer->Library, ReadingsHead.PathBytes));
        _library = NvmlLibrary.TryLoad(path, &shared.HeadPointer->Call, out string problem);
        if (_library is null)
        {
            return Restart(problem);
        }

        while (true)
        {
            if (isOrphan(head.AgentPid))
            {
                return GpuReaderProgram.Orphaned;
            }

            if (!Obey(ref head, out int? exit) && exit is { } code)
            {
                return code;
            }

            SignLife(ref head);
            RestUntil(NextBeatMs(head.PhaseMs));
        }
    }

    // False: the process ends with this code.
    private unsafe bool Obey(ref ReadingsHead head, out int? exit)
    {
        exit = null;
        long order = Volatile.Read(ref head.OrderNumber);
        ReaderOrder wanted = (ReaderOrder)head.Order;
        if (order != _order && _generation is not null)
        {
            _reason = GenerationReason.OrderChanged;
            LetGo();
        }

        bool isNew = order != _order;
        _order = order;
        if (wanted == ReaderOrder.End)
        {
            LetGo();
            Volatile.Write(ref head.Status, (int)ReaderStatus.Ended);
            exit = GpuReaderProgram.Done;
            return false;
        }

        if (!TryRead(ref head, isNew, out exit))
        {
            return false;
        }

        Volatile.Write(ref head.ObeyedOrder, order);
        return true;
    }

    private unsafe bool TryRead(ref ReadingsHead head, bool atOnce, out int? exit)
    {
        exit = null;
        if (_generation is null && (atOnce || NowMs() >= _retryAtMs || _retryAtMs - NowMs() > LongestRetry.TotalMilliseconds))
        {
            NvmlReturn result = TakeHold(ref head);
            if (result == NvmlReturn.LibraryVersionMismatch)
            {
                exit = Restart($"{result.Describe()}: the driver was updated; a reboot or a reload of its modules brings them together");
                return false;
            }
        }

        if (_generation is null)
        {
            return true;
        }

        ReadDue(ref head);
        if (_generation.Ended is { } reason)
        {
            _reason = reason;
            LetGo();
            _retry = FirstRetry;
            _retryAtMs = 0; // the next beat
        }

        return true;
    }

    private unsafe NvmlReturn TakeHold(ref ReadingsHead head)
    {
        _generation = ReaderGeneration.TryOpen(_library!, shared, _known, time, out NvmlReturn result);
        head.InitReturn = result;
        if (_generation is null)
        {
            Volatile.Write(ref head.Status, (int)ReaderStatus.NoDriver);
            _retryAtMs = NowMs() + (long)_retry.TotalMilliseconds;
            _retry = _retry * 2 < LongestRetry ? _retry * 2 : LongestRetry;
            return result;
        }

        _retry = FirstRetry;
        head.GenerationReason = (int)_reason;
        Volatile.Write(ref head.Generation, head.Generation + 1);
        Volatile.Write(ref head.Status, (int)ReaderStatus.Reading);
        Array.Clear(_due); // everything is due: nothing is known
        return result;
    }

    private unsafe void ReadDue(ref ReadingsHead head)
    {
        long tick = NowMs() + (long)Lead.TotalMilliseconds;
        for (int tier = 0; tier < GpuBlock.Tiers; tier++)
        {
            long interval = (long)Intervals[tier].TotalMilliseconds;
            if (tick < _due[tier] && _due[tier] - tick <= interval) // farther away than it can be: the clock was set back
            {
                continue;
            }

            // The first reading of a tier lies anywhere; from then on it is right before the tick that wants it.
            _due[tier] = TickSchedule.NextBeat(tick, interval, head.PhaseMs) - 100;
            long before = _library!.Calls;
            _generation!.Read((GpuTier)tier);
            head.CallsByTier[tier] += _library.Calls - before;
            if (_generation.Ended is not null)
            {
                return;
            }
        }
    }

    private void LetGo()
    {
        _generation?.Close();
        _generation = null;
    }

    private unsafe int Restart(string problem)
    {
        LetGo();
        SharedReadings.Write(new Span<byte>(shared.HeadPointer->Problem, ReadingsHead.PathBytes), problem);
        Volatile.Write(ref shared.Head.Status, (int)ReaderStatus.NeedsRestart);
        return GpuReaderProgram.NeedsRestart;
    }

    private void SignLife(ref ReadingsHead head)
    {
        head.Beats++;
        head.AllocatedBytes = GC.GetAllocatedBytesForCurrentThread();
        head.CpuMicroseconds = (long)Environment.CpuUsage.TotalTime.TotalMicroseconds;
        Volatile.Write(ref head.AliveAt, time.GetTimestamp());
    }

    private void RestUntil(long beatMs)
    {
        const int Beat = 1000;
        while (NowMs() is var now && now < beatMs && beatMs - now <= Beat) // more is left only where the clock was set back
        {
            int left = (int)(beatMs - now);
            if (_generation is { CanWait: true })
            {
                _generation.WaitForEvents(left);
                continue;
            }

            lock (_rest)
            {
                Monitor.Wait(_rest, left);
            }
        }
    }

    // The agent's beats, a little earlier.
    private long NextBeatMs(long phaseMs)
    {
        long lead = (long)Lead.TotalMilliseconds;
        return TickSchedule.NextBeat(NowMs() + lead, 1000, phaseMs) - lead;
    }

    private long NowMs() => time.GetUtcNow().ToUnixTimeMilliseconds();
}
