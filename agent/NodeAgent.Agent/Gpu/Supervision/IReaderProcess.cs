using NodeAgent.Agent.Gpu.Readings;

namespace NodeAgent.Agent.Gpu.Supervision;

/// <summary>A reader as the agent sees it from outside; tests play one without a process.</summary>
internal interface IReaderProcess : IDisposable
{
    int Id { get; }

    bool HasExited { get; }

    /// <summary>Only once it has exited; 128 and more: by that signal.</summary>
    int ExitCode { get; }

    SharedReadings Shared { get; }

    /// <summary>Where in the kernel it is, as far as this user may know; for the event about a call that hangs.</summary>
    ProcessEvidence Look();
}

/// <summary>What /proc says of a process that does not answer.</summary>
/// <param name="State">"R", "S", "D" (cannot be ended), "T" ...; "": unknown.</param>
/// <param name="WaitChannel">Function in the kernel that it sleeps in; "": none or not to be known.</param>
/// <param name="Stack">The kernel stack; "": not to be known without CAP_SYS_ADMIN.</param>
internal sealed record ProcessEvidence(string State, string WaitChannel, string Stack);
