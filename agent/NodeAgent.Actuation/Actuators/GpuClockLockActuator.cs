using NodeAgent.Nvml;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// Locks clocks. NVML tells no lock that is in force, so what is read back is the clock itself, and undo always unlocks: a lock that
/// somebody else had set before is lost by that, which the catalogue says.
/// </summary>
public sealed class GpuClockLockActuator(string? library) : IActuator
{
    private const uint Graphics = 0; // nvmlClockType_t
    private const uint Memory = 2;

    public Command.ActionOneofCase Action => Command.ActionOneofCase.GpuClockLock;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        GpuClockLock wanted = command.GpuClockLock;
        using GpuSession? session = GpuSession.TryOpen(library, wanted.Gpu, out string problem);
        if (session is null) return new([new Precondition("gpu-present", false, problem)]);

        List<Domain> domains = DomainsOf(wanted);
        string[] absent = [.. domains.SelectMany(domain => new[] { domain.Lock, domain.Unlock }).Where(call => !session.Nvml.Has(call)).Select(call => call.ToString())];
        string[] above = [.. domains.Where(domain => session.Nvml.Get(NvmlCall.DeviceGetMaxClockInfo, session.Device, domain.Type, out uint max) != NvmlReturn.Success || domain.Max > max).Select(domain => domain.Name)];
        UndoPlan undo = new() { Target = $"gpu-clock-lock/{wanted.Gpu}" };
        undo.Steps.AddRange(domains.Select(domain => new UndoStep { Key = domain.Name, Value = "unlocked" }));
        return new(
        [
            new Precondition("driver-supports", absent.Length == 0, absent.Length == 0 ? "all calls" : $"the driver lacks {string.Join(", ", absent)}"),
            new Precondition("gpu-present", true, wanted.Gpu),
            new Precondition("something-asked", domains.Count > 0 && domains.All(domain => domain.Min <= domain.Max), domains.Count == 0 ? "no domain is given" : string.Join(", ", domains.Select(domain => $"{domain.Name} {domain.Min} to {domain.Max} MHz"))),
            new Precondition("within-maximum", above.Length == 0, above.Length == 0 ? "below the maximum" : $"above the maximum, or that cannot be read: {string.Join(", ", above)}"),
        ],
        undo);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        using GpuSession? session = GpuSession.TryOpen(library, command.GpuClockLock.Gpu, out string problem);
        if (session is null) return StepResult.Bad(problem);
        foreach (Domain domain in DomainsOf(command.GpuClockLock))
        {
            NvmlReturn result = session.Nvml.SetRange(domain.Lock, session.Device, domain.Min, domain.Max);
            if (result != NvmlReturn.Success) return StepResult.Bad($"{domain.Lock}: {result}");
        }

        return StepResult.Good("the driver took the range");
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        using GpuSession? session = GpuSession.TryOpen(library, command.GpuClockLock.Gpu, out string problem);
        if (session is null) return StepResult.Bad(problem);
        foreach (Domain domain in DomainsOf(command.GpuClockLock))
        {
            NvmlReturn result = session.Nvml.Get(NvmlCall.DeviceGetClockInfo, session.Device, domain.Type, out uint now);
            if (result != NvmlReturn.Success) return StepResult.Bad($"the {domain.Name} clock cannot be read: {result}");
            if (now > domain.Max) return StepResult.Bad($"the {domain.Name} clock is {now} MHz, above {domain.Max}");
        }

        return StepResult.Good("the clocks are within the range");
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        using GpuSession? session = GpuSession.TryOpen(library, plan.Target["gpu-clock-lock/".Length..], out string problem);
        if (session is null) return StepResult.Bad(problem);
        foreach (UndoStep step in plan.Steps)
        {
            NvmlReturn result = session.Nvml.Reset(step.Key == "memory" ? NvmlCall.ResetMemoryLockedClocks : NvmlCall.ResetGpuLockedClocks, session.Device);
            if (result != NvmlReturn.Success) return StepResult.Bad($"unlocking {step.Key}: {result}");
        }

        return StepResult.Good("unlocked");
    }

    private static List<Domain> DomainsOf(GpuClockLock wanted)
    {
        List<Domain> domains = [];
        if (wanted.GraphicsMaxMhz > 0 || wanted.GraphicsMinMhz > 0)
        {
            domains.Add(new("graphics", Graphics, NvmlCall.SetGpuLockedClocks, NvmlCall.ResetGpuLockedClocks, wanted.GraphicsMinMhz, wanted.GraphicsMaxMhz));
        }

        if (wanted.MemoryMaxMhz > 0 || wanted.MemoryMinMhz > 0)
        {
            domains.Add(new("memory", Memory, NvmlCall.SetMemoryLockedClocks, NvmlCall.ResetMemoryLockedClocks, wanted.MemoryMinMhz, wanted.MemoryMaxMhz));
        }

        return domains;
    }

    private sealed record Domain(string Name, uint Type, NvmlCall Lock, NvmlCall Unlock, uint Min, uint Max);
}
