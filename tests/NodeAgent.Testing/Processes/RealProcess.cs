using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NodeAgent.Testing.Processes;

/// <summary>
/// A child process of ours with its output kept line by line. Ends with its owner: disposal asks it to stop, and after a bounded
/// time ends it, by the id of the process that was started here and no other.
/// </summary>
public sealed partial class RealProcess : IDisposable
{
    private const int SigTerm = 15;
    private const int MostLines = 20_000;

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly List<(Func<string, bool> Matches, TaskCompletionSource<string> Found)> _awaited = [];
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Action<string>? _onLine;
    private bool _isDisposed;

    private RealProcess(string name, ProcessStartInfo start, Action<string>? onLine)
    {
        Name = name;
        _onLine = onLine;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        start.RedirectStandardInput = true;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, e) => Take(e.Data);
        _process.ErrorDataReceived += (_, e) => Take(e.Data);
        _process.Exited += (_, _) => _exited.TrySetResult();
        _process.Start();
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _isDisposed || _process.HasExited;

    /// <summary>Exit code; only after it has exited.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>The lines so far, both streams.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Starts a program.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="file">Executable, or a managed .dll, which the dotnet host runs.</param>
    /// <param name="arguments">Arguments, not quoted.</param>
    /// <param name="environment">Added to ours.</param>
    /// <param name="onLine">Called for each line as it comes.</param>
    public static RealProcess Start(
        string name, string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, Action<string>? onLine = null)
    {
        bool managed = file.EndsWith(".dll", StringComparison.Ordinal);
        ProcessStartInfo start = new(managed ? "dotnet" : file);
        if (managed)
        {
            start.ArgumentList.Add(file);
        }

        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        return new RealProcess(name, start, onLine);
    }

    /// <summary>Runs a program to its end and gives its exit code and output.</summary>
    /// <exception cref="TimeoutException">It did not end in time and was ended.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string file, IEnumerable<string> arguments, TimeSpan limit, IReadOnlyDictionary<string, string>? environment = null)
    {
        using RealProcess process = Start(Path.GetFileName(file), file, arguments, environment);
        if (!await process.WaitForExitAsync(limit).ConfigureAwait(false))
        {
            throw new TimeoutException($"{file} did not end within {limit}:\n{string.Join('\n', process.Lines)}");
        }

        return (process.ExitCode, string.Join('\n', process.Lines));
    }

    /// <summary>The first line, already there or still to come, that matches.</summary>
    /// <exception cref="TimeoutException">None came in time, or the process ended; the message has its output.</exception>
    public async Task<string> WaitForLineAsync(Func<string, bool> matches, TimeSpan limit)
    {
        TaskCompletionSource<string> found = new(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.FirstOrDefault(matches) is { } line)
            {
                return line;
            }

            _awaited.Add((matches, found));
        }

        using CancellationTokenSource tooLate = new(limit);
        Task first = await Task.WhenAny(found.Task, _exited.Task, Task.Delay(limit, TimeProvider.System, tooLate.Token)).ConfigureAwait(false);
        if (first == _exited.Task)
        {
            // The last lines may still be on their way through the pipe.
            await Task.WhenAny(found.Task, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System)).ConfigureAwait(false);
        }

        return found.Task.IsCompleted
            ? await found.Task.ConfigureAwait(false)
            : throw new TimeoutException(
                $"{Name} {(HasExited ? $"ended with {ExitCode}" : $"did not write the awaited line within {limit}")}:\n{string.Join('\n', Lines.TakeLast(60))}");
    }

    /// <summary>False: it still runs.</summary>
    public async Task<bool> WaitForExitAsync(TimeSpan limit)
    {
        using CancellationTokenSource tooLate = new(limit);
        try
        {
            await _process.WaitForExitAsync(tooLate.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Sends a signal (Linux), by number.</summary>
    public void Signal(int number)
    {
        if (!HasExited)
        {
            _ = Kill(Id, number);
        }
    }

    /// <summary>Asks it to stop. True: it ended in time; false: it had to be ended.</summary>
    public async Task<bool> StopAsync(TimeSpan limit)
    {
        if (OperatingSystem.IsWindows())
        {
            EndNow();
            return true;
        }

        if (_isDisposed)
        {
            return true;
        }

        Signal(SigTerm);
        if (await WaitForExitAsync(limit).ConfigureAwait(false))
        {
            return true;
        }

        EndNow();
        return false;
    }

    /// <summary>Ends it without asking (SIGKILL).</summary>
    public void EndNow()
    {
        if (!HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit(5_000);
        }
    }

    public void Dispose()
    {
        if (!_isDisposed)
        {
            EndNow();
            _isDisposed = true;
            _process.Dispose();
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lines)
        {
            if (_lines.Count < MostLines)
            {
                _lines.Add(line);
            }

            for (int i = _awaited.Count - 1; i >= 0; i--)
            {
                if (_awaited[i].Matches(line))
                {
                    _awaited[i].Found.TrySetResult(line);
                    _awaited.RemoveAt(i);
                }
            }
        }

        _onLine?.Invoke(line);
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
