using System.Globalization;
using NodeAgent.Nvml;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>One number of a GPU that can be read, set and put back.</summary>
internal sealed record GpuSetting
{
    internal required Command.ActionOneofCase Action { get; init; }

    /// <summary>For the undo plan's target: "gpu-power-limit".</summary>
    internal required string Name { get; init; }

    /// <summary>The name of the precondition that it can be read.</summary>
    internal string Readable { get; init; } = "mode-readable";

    internal required NvmlCall Getter { get; init; }

    internal required NvmlCall Setter { get; init; }

    internal required Func<Command, (string Gpu, uint Value)> Wanted { get; init; }

    internal required GpuRead Read { get; init; }

    internal required Func<GpuSession, uint, NvmlReturn> Write { get; init; }

    /// <summary>Nobody may be on the GPU, going to this value or coming back from it.</summary>
    internal bool WantsIdle { get; init; }

    /// <summary>A value that there is no more; null: all within the catalogue's bounds.</summary>
    internal uint? Retired { get; init; }
}

internal delegate NvmlReturn GpuRead(GpuSession session, out uint value);

/// <summary>A GPU's power limit, persistence, compute, ECC or MIG mode: one shape, five settings.</summary>
public sealed class GpuSettingActuator : IActuator
{
    private readonly GpuSetting _setting;
    private readonly string? _library;

    private GpuSettingActuator(GpuSetting setting, string? library)
    {
        _setting = setting;
        _library = library;
    }

    public Command.ActionOneofCase Action => _setting.Action;

    /// <summary>One actuator for each of the settings.</summary>
    /// <param name="library">The NVML library; null: the usual places.</param>
    public static IReadOnlyList<IActuator> All(string? library) => [.. Settings.Select(setting => new GpuSettingActuator(setting, library))];

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        (string gpu, uint wanted) = _setting.Wanted(command);
        using GpuSession? session = GpuSession.TryOpen(_library, gpu, out string problem);
        if (session is null) return new([new Precondition("gpu-present", false, problem)]);

        bool supported = session.Nvml.Has(_setting.Getter) && session.Nvml.Has(_setting.Setter);
        NvmlReturn result = _setting.Read(session, out uint before);
        List<Precondition> conditions =
        [
            new("driver-supports", supported, supported ? session.Nvml.ExportOf(_setting.Setter) : $"the driver lacks {_setting.Setter} or {_setting.Getter}"),
            new("gpu-present", true, gpu),
            new(_setting.Readable, result == NvmlReturn.Success, result == NvmlReturn.Success ? $"it is {before}" : $"{_setting.Getter}: {result}"),
        ];
        if (_setting.WantsIdle)
        {
            string? occupants = session.Occupants();
            conditions.Add(new Precondition("gpu-idle", occupants is null, occupants ?? "nobody is on it"));
        }

        if (_setting.Retired is { } retired) conditions.Add(new Precondition("mode-exists", wanted != retired, $"mode {wanted}"));
        UndoPlan undo = new() { Target = $"{_setting.Name}/{gpu}", Steps = { new UndoStep { Key = gpu, Value = before.ToString(CultureInfo.InvariantCulture) } } };
        return new(conditions, result == NvmlReturn.Success ? undo : null);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        (string gpu, uint wanted) = _setting.Wanted(command);
        using GpuSession? session = GpuSession.TryOpen(_library, gpu, out string problem);
        if (session is null) return StepResult.Bad(problem);
        NvmlReturn result = _setting.Write(session, wanted);
        return result == NvmlReturn.Success ? StepResult.Good($"the driver took {wanted}") : StepResult.Bad($"{_setting.Setter} {wanted}: {result}");
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        (string gpu, uint wanted) = _setting.Wanted(command);
        return ReadBack(gpu, wanted);
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline)
    {
        (string gpu, uint before) = (plan.Steps[0].Key, uint.Parse(plan.Steps[0].Value, CultureInfo.InvariantCulture));
        using (GpuSession? session = GpuSession.TryOpen(_library, gpu, out string problem))
        {
            if (session is null) return StepResult.Bad(problem);
            if (_setting.Read(session, out uint now) == NvmlReturn.Success && now == before) return StepResult.Good($"it is {before}");
            NvmlReturn result = _setting.Write(session, before);
            if (result != NvmlReturn.Success) return StepResult.Bad($"{_setting.Setter} {before}: {result}");
        }

        return ReadBack(gpu, before);
    }

    private StepResult ReadBack(string gpu, uint wanted)
    {
        using GpuSession? session = GpuSession.TryOpen(_library, gpu, out string problem);
        if (session is null) return StepResult.Bad(problem);
        NvmlReturn result = _setting.Read(session, out uint now);
        return result != NvmlReturn.Success ? StepResult.Bad($"{_setting.Getter}: {result}")
            : now == wanted ? StepResult.Good($"reads back as {now}")
            : StepResult.Bad($"it is {now}, not {wanted}");
    }

    private static readonly GpuSetting[] Settings =
    [
        new()
        {
            Action = Command.ActionOneofCase.GpuPowerLimit, Name = "gpu-power-limit", Readable = "limit-readable",
            Getter = NvmlCall.DeviceGetEnforcedPowerLimit, Setter = NvmlCall.SetPowerManagementLimit,
            Wanted = command => (command.GpuPowerLimit.Gpu, command.GpuPowerLimit.Milliwatts),
            Read = (GpuSession session, out uint value) => session.Nvml.Get(NvmlCall.DeviceGetEnforcedPowerLimit, session.Device, out value),
            Write = (session, value) => session.Nvml.SetPowerLimit(session.Device, value, out _),
        },
        new()
        {
            Action = Command.ActionOneofCase.GpuPersistence, Name = "gpu-persistence",
            Getter = NvmlCall.DeviceGetPersistenceMode, Setter = NvmlCall.SetPersistenceMode,
            Wanted = command => (command.GpuPersistence.Gpu, command.GpuPersistence.Enabled ? 1u : 0u),
            Read = (GpuSession session, out uint value) => session.Nvml.Get(NvmlCall.DeviceGetPersistenceMode, session.Device, out value),
            Write = (session, value) => session.Nvml.Set(NvmlCall.SetPersistenceMode, session.Device, value),
        },
        new()
        {
            Action = Command.ActionOneofCase.GpuComputeMode, Name = "gpu-compute-mode", WantsIdle = true, Retired = 1,
            Getter = NvmlCall.DeviceGetComputeMode, Setter = NvmlCall.SetComputeMode,
            Wanted = command => (command.GpuComputeMode.Gpu, command.GpuComputeMode.Mode),
            Read = (GpuSession session, out uint value) => session.Nvml.Get(NvmlCall.DeviceGetComputeMode, session.Device, out value),
            Write = (session, value) => session.Nvml.Set(NvmlCall.SetComputeMode, session.Device, value),
        },
        new()
        {
            Action = Command.ActionOneofCase.GpuEcc, Name = "gpu-ecc", WantsIdle = true,
            Getter = NvmlCall.DeviceGetEccMode, Setter = NvmlCall.SetEccMode,
            Wanted = command => (command.GpuEcc.Gpu, command.GpuEcc.Enabled ? 1u : 0u),
            // The pending mode: the current one changes with the next reset only.
            Read = (GpuSession session, out uint value) => session.Nvml.Get(NvmlCall.DeviceGetEccMode, session.Device, out uint _, out value),
            Write = (session, value) => session.Nvml.Set(NvmlCall.SetEccMode, session.Device, value),
        },
        new()
        {
            Action = Command.ActionOneofCase.GpuMig, Name = "gpu-mig", WantsIdle = true,
            Getter = NvmlCall.DeviceGetMigMode, Setter = NvmlCall.SetMigMode,
            Wanted = command => (command.GpuMig.Gpu, command.GpuMig.Enabled ? 1u : 0u),
            Read = (GpuSession session, out uint value) => session.Nvml.Get(NvmlCall.DeviceGetMigMode, session.Device, out value, out uint _),
            Write = (session, value) =>
            {
                NvmlReturn result = session.Nvml.SetMigMode(session.Device, value == 1, out NvmlReturn activation);
                return result != NvmlReturn.Success ? result : activation;
            },
        },
    ];
}
