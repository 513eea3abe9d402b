using System.Globalization;
using System.Runtime.Versioning;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;
using NodeAgent.Nvml;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>Has everybody of ours let go of a GPU, and take it back. The agent's reader is one of them; exporters may be others.</summary>
public interface IGpuQuiesce
{
    /// <summary>Keeps what a reset would destroy: the bug report comes before it, or never.</summary>
    StepResult CollectEvidence(string gpu, CancellationToken deadline);

    StepResult Release(string gpu, CancellationToken deadline);

    /// <summary>Also called when the reset failed.</summary>
    void Resume(string gpu);
}

/// <summary>Resets one GPU with nvidia-smi, the only supported way, after evidence is kept and nobody holds its device file.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class GpuResetActuator(string? library, Tools tools, HostPaths paths, IGpuQuiesce quiesce) : IActuator
{
    public Command.ActionOneofCase Action => Command.ActionOneofCase.GpuReset;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        string gpu = command.GpuReset.Gpu;
        string? unsafeTool = FileTrust.ProblemOfProgram(paths.NvidiaSmi, paths.TrustedOwner);
        Precondition tool = new("tool-safe", unsafeTool is null, unsafeTool ?? paths.NvidiaSmi);
        string? occupants;
        uint minor;
        using (GpuSession? session = GpuSession.TryOpen(library, gpu, out string problem))
        {
            if (session is null) return new([new Precondition("gpu-present", false, problem), tool]);
            occupants = session.Occupants();
            if (session.Nvml.Get(NvmlCall.DeviceGetMinorNumber, session.Device, out minor) != NvmlReturn.Success) occupants ??= "its device number cannot be read";
        }

        return new(
        [
            new Precondition("gpu-present", true, gpu),
            new Precondition("gpu-idle", occupants is null, occupants ?? "nobody is on it"),
            tool,
        ],
        Memo: minor.ToString(CultureInfo.InvariantCulture));
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        string gpu = command.GpuReset.Gpu;
        StepResult kept = quiesce.CollectEvidence(gpu, deadline);
        StepResult released = quiesce.Release(gpu, deadline);
        try
        {
            if (!released.Ok) return StepResult.Bad($"the GPU was not let go of: {released.Detail}");
            string device = Path.Combine(paths.Dev, $"nvidia{prepared.Memo}");
            if (HolderOf(device) is { } holder) return StepResult.Bad($"process {holder} holds {device}");
            ToolResult result = tools.Run(paths.NvidiaSmi, ["-r", "-i", gpu], deadline);
            return result.Ok ? StepResult.Good($"reset; evidence: {kept.Detail}") : StepResult.Bad(result.Problem("nvidia-smi -r"));
        }
        finally
        {
            quiesce.Resume(gpu);
        }
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        using GpuSession? session = GpuSession.TryOpen(library, command.GpuReset.Gpu, out string problem);
        if (session is null) return StepResult.Bad(problem);
        NvmlReturn result = session.Nvml.Get(NvmlCall.DeviceGetEnforcedPowerLimit, session.Device, out _);
        return result == NvmlReturn.Success ? StepResult.Good("the GPU answers") : StepResult.Bad($"after the reset it says {result}");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("a reset cannot be undone");

    // After the release, and by the kernel's word: NVML does not know of everybody who has the file open.
    private int? HolderOf(string device)
    {
        foreach (string process in Directory.EnumerateDirectories(paths.Proc))
        {
            if (!int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out int pid)) continue;
            try
            {
                if (Directory.EnumerateFileSystemEntries(Path.Combine(process, "fd")).Any(file => new FileInfo(file).LinkTarget == device)) return pid;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended while it was looked at: then it holds nothing.
                continue;
            }
        }

        return null;
    }
}
