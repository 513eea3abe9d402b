using NodeAgent.V1;
using static NodeAgent.Commands.Catalogue.ParameterDescription;
using Action = NodeAgent.V1.Command.ActionOneofCase;

namespace NodeAgent.Commands.Catalogue;

public static partial class CommandCatalogue
{
    // Not fields: the order in which fields of two files are initialised is nobody's.
    private static PreconditionDescription GpuPresent => new("gpu-present", "a GPU has the UUID and answers");
    private static PreconditionDescription GpuIdle => new("gpu-idle", "no process is on the GPU");
    private static PreconditionDescription CallPresent => new("driver-supports", "the driver has the calls");

    private static CommandDescription[] GpuRows() =>
    [
        new()
        {
            Action = Action.GpuPowerLimit, Name = "gpu_power_limit", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Sets a GPU's power limit.",
            Parameters =
            [
                Text("gpu", "UUID", c => c.GpuPowerLimit.Gpu),
                Number("milliwatts", "mW", 1, 10_000_000, "within the GPU's constraints", c => c.GpuPowerLimit.Milliwatts),
            ],
            Preconditions = [CallPresent, GpuPresent, new("limit-readable", "the limit from before can be read, so that it can be put back")],
            Verification = "the enforced limit reads back",
            Undo = "the limit from before",
        },
        new()
        {
            Action = Action.GpuClockLock, Name = "gpu_clock_lock", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Locks a GPU's graphics or memory clocks to a range.",
            Parameters =
            [
                Text("gpu", "UUID", c => c.GpuClockLock.Gpu),
                Number("graphics_min_mhz", "MHz", 0, 10_000, "0 and 0: as it is", c => c.GpuClockLock.GraphicsMinMhz),
                Number("graphics_max_mhz", "MHz", 0, 10_000, "", c => c.GpuClockLock.GraphicsMaxMhz),
                Number("memory_min_mhz", "MHz", 0, 20_000, "0 and 0: as it is", c => c.GpuClockLock.MemoryMinMhz),
                Number("memory_max_mhz", "MHz", 0, 20_000, "", c => c.GpuClockLock.MemoryMaxMhz),
            ],
            Preconditions =
            [
                CallPresent, GpuPresent, new("something-asked", "at least one domain is given, its minimum not above its maximum"),
                new("within-maximum", "no clock above the GPU's maximum"),
            ],
            Verification = "the driver took the call, and the clock of a domain that was locked is not above its maximum",
            Undo = "the domain is unlocked; a lock from before cannot be read, and is not put back",
        },
        new()
        {
            Action = Action.GpuPersistence, Name = "gpu_persistence", Risk = RiskClass.R1, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Switches a GPU's persistence mode.",
            Parameters =
            [
                Text("gpu", "UUID", c => c.GpuPersistence.Gpu),
                Number("enabled", "", 0, 1, "", c => c.GpuPersistence.Enabled ? 1 : 0),
            ],
            Preconditions = [CallPresent, GpuPresent, new("mode-readable", "the mode from before can be read")],
            Verification = "the mode reads back",
            Undo = "the mode from before",
        },
        new()
        {
            Action = Action.GpuComputeMode, Name = "gpu_compute_mode", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Sets who may compute on a GPU.",
            Parameters =
            [
                Text("gpu", "UUID", c => c.GpuComputeMode.Gpu),
                Number("mode", "", 0, 3, "0 default, 2 prohibited, 3 exclusive process", c => c.GpuComputeMode.Mode),
            ],
            Preconditions = [CallPresent, GpuPresent, new("mode-readable", "the mode from before can be read"), GpuIdle, new("mode-exists", "1 is no longer a mode")],
            Verification = "the mode reads back",
            Undo = "the mode from before",
        },
        new()
        {
            Action = Action.GpuEcc, Name = "gpu_ecc", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(20),
            Summary = "Switches a GPU's error correction; takes effect at the next reset.",
            Parameters = [Text("gpu", "UUID", c => c.GpuEcc.Gpu), Number("enabled", "", 0, 1, "", c => c.GpuEcc.Enabled ? 1 : 0)],
            Preconditions = [CallPresent, GpuPresent, new("mode-readable", "the pending mode can be read"), GpuIdle],
            Verification = "the pending mode reads back",
            Undo = "the pending mode from before",
        },
        new()
        {
            Action = Action.GpuMig, Name = "gpu_mig", Risk = RiskClass.R2, Deadline = TimeSpan.FromSeconds(60),
            Summary = "Switches a GPU's MIG mode. Layouts are not made yet.",
            Parameters = [Text("gpu", "UUID", c => c.GpuMig.Gpu), Number("enabled", "", 0, 1, "", c => c.GpuMig.Enabled ? 1 : 0)],
            Preconditions = [CallPresent, GpuPresent, new("mode-readable", "the mode from before can be read"), GpuIdle],
            Verification = "the current mode reads back; pending only: not verified",
            Undo = "the mode from before",
        },
        new()
        {
            Action = Action.GpuReset, Name = "gpu_reset", Risk = RiskClass.R3, Deadline = TimeSpan.FromSeconds(180),
            Summary = "Resets one GPU, after everybody let go of it.",
            Parameters = [Text("gpu", "UUID", c => c.GpuReset.Gpu)],
            Preconditions =
            [
                GpuPresent, GpuIdle, new("tool-safe", "nvidia-smi belongs to root and nobody else may write it"),
            ],
            Verification = "the GPU answers again; before, the evidence is kept, our own readers let go, and no process holds the device file",
        },
    ];
}
