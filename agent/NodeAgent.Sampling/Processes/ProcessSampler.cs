using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Processes;

/// <summary>
/// Processes by state, threads, and the kernel's limits. It opens a file per process, some microseconds each, so it belongs to a
/// slow tier. Threads by state (a file per thread) are left out: that would cost as much as all other samplers together.
/// </summary>
internal sealed class ProcessSampler : ISampler, IDisposable
{
    // Enough for any stat line: 52 numbers and a command of 64 bytes at most (TASK_COMM_LEN, or a kernel thread's full name).
    private const int StatBytes = 2048;

    private static readonly byte[] StatSuffix = "/stat\0"u8.ToArray();

    private readonly byte[] _path;
    private readonly byte[] _entries = new byte[32 * 1024];
    private readonly byte[] _stat = new byte[StatBytes];
    private readonly byte[] _statPath = new byte[32];
    private readonly KernelFile? _maxProcesses;
    private readonly KernelFile? _maxThreads;
    private readonly int[] _byState = new int[128];
    private readonly int[] _stateColumns = new int[128];

    public ProcessSampler(HostRoots roots)
    {
        _path = KernelDirectory.PathBytes(roots.Proc);
        _maxProcesses = KernelFile.TryOpen(Path.Combine(roots.Proc, "sys/kernel/pid_max"), 64);
        _maxThreads = KernelFile.TryOpen(Path.Combine(roots.Proc, "sys/kernel/threads-max"), 64);
        Series.Add(ProcessMetrics.Pids);
        Series.Add(ProcessMetrics.Threads);
        Series.Add(ProcessMetrics.MaxProcesses);
        Series.Add(ProcessMetrics.MaxThreads);

        // All states from the start, so that a first zombie changes no schema (fs/proc/array.c, task_state_array).
        foreach (char state in "RSDTtXZPI")
        {
            _stateColumns[state] = Series.Add(ProcessMetrics.State, new Label("state", state.ToString()));
        }
    }

    public string Name => "processes";

    public SeriesTable Series { get; } = new();

    public SampleStatus Sample(in SampleTime now)
    {
        Array.Clear(_byState);
        if (!TryCount(out int pids, out ulong threads))
        {
            return SampleStatus.NoData;
        }

        Series.Set(0, pids);
        Series.Set(1, threads);
        SetLimit(2, _maxProcesses);
        SetLimit(3, _maxThreads);
        for (int state = 0; state < _byState.Length; state++)
        {
            if (_stateColumns[state] > 0)
            {
                Series.Set(_stateColumns[state], _byState[state]);
            }
        }

        return SampleStatus.Ok;
    }

    public void Dispose()
    {
        _maxProcesses?.Dispose();
        _maxThreads?.Dispose();
    }

    private bool TryCount(out int pids, out ulong threads)
    {
        pids = 0;
        threads = 0;
        KernelDirectory proc = KernelDirectory.Open(_path, _entries);
        try
        {
            while (proc.TryReadEntry(out ReadOnlySpan<byte> name, out _))
            {
                // A process may end between the listing and the read: it is not there then, which is no error.
                if (TryMakePath(name) && proc.TryReadFile(_statPath, _stat, out int length) &&
                    ProcessStatParser.TryParse(_stat.AsSpan(0, length), out ProcessReading reading))
                {
                    pids++;
                    threads += reading.Threads;
                    _byState[reading.State]++;
                }
            }

            return proc.IsOpen && pids > 0;
        }
        finally
        {
            proc.Dispose();
        }
    }

    private bool TryMakePath(ReadOnlySpan<byte> pid)
    {
        if (pid[0] is < (byte)'1' or > (byte)'9' || pid.Length + StatSuffix.Length > _statPath.Length)
        {
            return false;
        }

        pid.CopyTo(_statPath);
        StatSuffix.CopyTo(_statPath.AsSpan(pid.Length));
        return true;
    }

    private void SetLimit(int column, KernelFile? file)
    {
        if (file is not null && file.TryRead(out ReadOnlySpan<byte> text) && NumberParser.TryParse(text, out ulong value))
        {
            Series.Set(column, value);
        }
    }
}

/// <summary>State letter (ASCII) and number of threads of one process.</summary>
internal readonly record struct ProcessReading(byte State, ulong Threads);

/// <summary>
/// Parses /proc/PID/stat (proc(5)): "1 (a) b) S ppid ... num_threads ...". The command may hold anything, so its end is the last
/// parenthesis.
/// </summary>
internal static class ProcessStatParser
{
    private const int FieldsBetweenStateAndThreads = 16; // fields 4 to 19; num_threads is field 20

    public static bool TryParse(ReadOnlySpan<byte> text, out ProcessReading reading)
    {
        reading = default;
        int end = text.LastIndexOf((byte)')');
        if (end < 0)
        {
            return false;
        }

        Utf8Cursor cursor = new(text[(end + 1)..]);
        if (!cursor.TryReadField(out ReadOnlySpan<byte> state) || state.Length != 1 || state[0] >= 128)
        {
            return false;
        }

        for (int i = 0; i < FieldsBetweenStateAndThreads; i++)
        {
            if (!cursor.TryReadField(out _))
            {
                return false;
            }
        }

        if (!cursor.TryReadUInt64(out ulong threads) || !cursor.TrySkip(" "u8))
        {
            return false;
        }

        reading = new ProcessReading(state[0], threads);
        return true;
    }
}
