using NodeAgent.Actuation;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Commands.Policy;

namespace NodeAgent.Agent.Actuator;

/// <summary>Has the agent let go of a GPU by the files that people use too (docs/gpu-release.md), and keeps NVIDIA's bug report before a reset.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
internal sealed class GpuReleaseOrder(string folder, HostPaths paths, Tools tools) : IGpuQuiesce
{
    private const string BugReport = "/usr/bin/nvidia-bug-report.sh";
    private const string Mark = "# by a command";
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ReportLimit = TimeSpan.FromMinutes(2); // of the command's three: a lost GPU can hang the script

    public StepResult CollectEvidence(string gpu, CancellationToken deadline)
    {
        if (FileTrust.ProblemOfProgram(BugReport, paths.TrustedOwner) is { } problem) return StepResult.Bad(problem);
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(deadline);
        limit.CancelAfter(ReportLimit);
        string file = $"/var/log/nodeagent-bug-report-{gpu}.log";
        ToolResult result = tools.Run(BugReport, ["--output-file", file], limit.Token);
        return result.Ok ? StepResult.Good($"{file}.gz") : StepResult.Bad(result.Problem(BugReport));
    }

    public StepResult Release(string gpu, CancellationToken deadline)
    {
        if (!Directory.Exists(folder)) return StepResult.Good($"{folder} is not there: no agent reads GPUs here");
        if (BusIdOf(gpu) is not { } busId) return StepResult.Bad($"the driver names no bus id of {gpu}");
        try
        {
            string order = Path.Combine(folder, GpuReleaseFile.OrderName);
            File.AppendAllText(order, $"{busId} {Mark}\n");
            string answer = Path.Combine(folder, GpuReleaseFile.AnswerName);
            string wanted = GpuOrders.Normalize(busId);
            do
            {
                if (File.Exists(answer) && File.ReadAllLines(answer).Contains(wanted)) return StepResult.Good("released");
            }
            while (!deadline.WaitHandle.WaitOne(Pause));

            return StepResult.Bad("the agent did not let go of it in time");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return StepResult.Bad(e.Message);
        }
    }

    public void Resume(string gpu)
    {
        string order = Path.Combine(folder, GpuReleaseFile.OrderName);
        if (!File.Exists(order)) return;
        string[] others = [.. File.ReadAllLines(order).Where(line => !line.EndsWith(Mark, StringComparison.Ordinal))];
        if (others.Length == 0) File.Delete(order);
        else File.WriteAllLines(order, others);
    }

    // The driver's own list: /proc/driver/nvidia/gpus/BUSID/information has a line "GPU UUID: ...".
    private string? BusIdOf(string gpu)
    {
        string all = Path.Combine(paths.Proc, "driver/nvidia/gpus");
        return !Directory.Exists(all) ? null
            : Directory.EnumerateDirectories(all)
                .FirstOrDefault(one => (KernelFile.TryRead(Path.Combine(one, "information")) ?? "").Split('\n')
                    .Any(line => line.StartsWith("GPU UUID", StringComparison.Ordinal) && line.TrimEnd().EndsWith(gpu, StringComparison.Ordinal)))
                is { } found ? Path.GetFileName(found) : null;
    }
}
