using System.Diagnostics;
using NodeAgent.Agent.Gpu.Reader;
using NodeAgent.Agent.Gpu.Readings;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>The real reader: this very binary with another verb.</summary>
internal sealed class ReaderProcess : IReaderProcess
{
    private readonly Process _process;

    private ReaderProcess(Process process, SharedReadings shared)
    {
        _process = process;
        Shared = shared;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public SharedReadings Shared { get; }

    /// <exception cref="System.ComponentModel.Win32Exception">The system refuses to start it.</exception>
    internal static ReaderProcess Start(SharedReadings shared)
    {
        (string file, string? program) = OwnProgram(Environment.ProcessPath!, AppContext.BaseDirectory);
        return Start(shared, file, program);
    }

    /// <inheritdoc cref="Start(SharedReadings)"/>
    internal static ReaderProcess Start(SharedReadings shared, string file, string? program)
    {
        ProcessStartInfo start = new(file) { UseShellExecute = false };
        if (program is not null)
        {
            start.ArgumentList.Add(program);
        }

        start.ArgumentList.Add(GpuReaderProgram.Verb);
        start.ArgumentList.Add(shared.Name);
        Process process = Process.Start(start) ?? throw new InvalidOperationException($"{file} could not be started");
        shared.CloseToChildren();
        return new ReaderProcess(process, shared);
    }

    /// <summary>What to run: the published file itself, or the host with our assembly.</summary>
    internal static (string File, string? Program) OwnProgram(string processPath, string folder) =>
        Path.GetFileNameWithoutExtension(processPath) == "nodeagent" ? (processPath, null) : (processPath, Path.Combine(folder, "nodeagent.dll"));

    public ProcessEvidence Look() => OperatingSystem.IsWindows() ? new ProcessEvidence("", "", "") : new ProcessEvidence(ReadState(), ReadText("wchan"), ReadText("stack"));

    /// <summary>The memory goes when nobody looks at it any more: the tick may be reading it at this moment.</summary>
    public void Dispose() => _process.Dispose();

    // "1234 (nodeagent) D ...": the state follows the last bracket.
    private string ReadState()
    {
        string stat = ReadText("stat");
        int end = stat.LastIndexOf(')');
        return end > 0 && stat.Length > end + 2 ? stat.Substring(end + 2, 1) : "";
    }

    // The thread that calls NVML is the process's first.
    private string ReadText(string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{Id}/task/{Id}/{file}").Trim().TrimEnd('0') is { Length: > 0 } text ? text : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // gone in the meantime, or a secret of the kernel
        }
    }
}
