using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;
using NodeAgent.Testing.Processes;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>Against tests/fake-nvml: its rules are those of NVML's documentation; no GPU is touched.</summary>
public sealed class GpuActuatorTests : IAsyncLifetime
{
    private readonly TrustedFolder _folder = new();
    private FakeGpus _gpus = null!;

    public static TheoryData<string> Settings => ["power", "persistence", "compute", "ecc", "mig"];

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the fake library is built for Linux");
        FakeGpus? gpus = await FakeGpus.TryCreateAsync(Path.Combine(_folder.Path, "nvml"), 2);
        Assert.SkipWhen(gpus is null, "gcc is not installed, so the fake library cannot be built");
        _gpus = gpus!;
        _gpus.Set("root", "1");
        // Nobody is on the GPUs: the fake's own processes would be.
        _gpus.Set("gpu.*.busy", "0");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Setting_IsReadBackAndGoesBack(string what)
    {
        IActuator actuator = Of(CommandOf(what).ActionCase);
        Preparation prepared = actuator.Run(CommandOf(what));

        Assert.NotEqual("", prepared.Undo!.Steps[0].Value);
        actuator.TakeBack(prepared);
        Assert.False(actuator.Verify(CommandOf(what), prepared, Steps.Deadline()).Ok, "it did not go back");
    }

    [Theory]
    [MemberData(nameof(Settings))]
    public void Setting_ThatTheDriverTakesAndDoesNotApply_IsNotVerified(string what)
    {
        _gpus.Set("setters_ignored", "1");
        IActuator actuator = Of(CommandOf(what).ActionCase);
        Preparation prepared = actuator.PrepareAll(CommandOf(what));
        StepResult acted = actuator.Act(CommandOf(what), prepared, Steps.Deadline());

        Assert.False(acted.Ok && actuator.Verify(CommandOf(what), prepared, Steps.Deadline()).Ok);
    }

    [Theory]
    [InlineData("compute")]
    [InlineData("ecc")]
    [InlineData("mig")]
    [InlineData("reset")]
    public void Disruptive_WhileSomebodyIsOnTheGpu_IsRefused(string what)
    {
        _gpus.Set("gpu.1.proc.0", "4711,1048576,10");
        Command command = CommandOf(what);

        Assert.Contains("gpu-idle", Of(command.ActionCase).FailedOf(command), StringComparison.Ordinal);
    }

    [Fact]
    public void Setting_WithoutRootOrOutsideTheConstraints_FailsAndChangesNothing()
    {
        Command command = CommandOf("power");
        IActuator actuator = Of(command.ActionCase);
        _gpus.Set("root", "0");
        Assert.Contains("NoPermission", actuator.Act(command, actuator.PrepareAll(command), Steps.Deadline()).Detail, StringComparison.Ordinal);

        _gpus.Set("root", "1");
        command.GpuPowerLimit.Milliwatts = 50_000;
        Assert.Contains("InvalidArgument", actuator.Act(command, actuator.PrepareAll(command), Steps.Deadline()).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_UnknownUuidOrLostGpuOrNoLibrary_SaysSo()
    {
        Command command = CommandOf("power");
        command.GpuPowerLimit.Gpu = "GPU-none";
        Assert.Equal("gpu-present", Of(command.ActionCase).FailedOf(command));

        Assert.Equal("gpu-present", GpuSettingActuator.All("/nonexistent/libnvidia-ml.so.1")[0].FailedOf(CommandOf("power")));
        _gpus.Set("gpu.1.lost", "1");
        Assert.NotEqual("", Of(CommandOf("power").ActionCase).FailedOf(CommandOf("power")));
    }

    [Fact]
    public void ClockLock_IsHeldAndUnlocked()
    {
        GpuClockLockActuator actuator = new(_gpus.Library);
        Command command = new() { GpuClockLock = new GpuClockLock { Gpu = Gpu, GraphicsMinMhz = 600, GraphicsMaxMhz = 1200, MemoryMinMhz = 1593, MemoryMaxMhz = 1593 } };
        Preparation prepared = actuator.Run(command);
        Assert.Equal(2, prepared.Undo!.Steps.Count);
        actuator.TakeBack(prepared);

        command.GpuClockLock.GraphicsMaxMhz = 5000;
        Assert.Equal("within-maximum", actuator.FailedOf(command));
        Assert.Equal("something-asked", actuator.FailedOf(new Command { GpuClockLock = new GpuClockLock { Gpu = Gpu } }));
        Assert.Equal("something-asked", actuator.FailedOf(new Command { GpuClockLock = new GpuClockLock { Gpu = Gpu, GraphicsMinMhz = 900, GraphicsMaxMhz = 800 } }));
    }

    [Fact]
    public void Reset_EvidenceThenReleaseThenToolThenResume()
    {
        string smi = _folder.Put("nvidia-smi", $"#!/bin/sh\necho \"$@\" > {_folder.Path}/argv\n", program: true);
        Quiesce quiesce = new();
        GpuResetActuator actuator = new(_gpus.Library, new Tools(), Steps.Paths with { NvidiaSmi = smi }, quiesce);
        actuator.Run(CommandOf("reset"));

        Assert.Equal(["evidence", "release", "resume"], quiesce.Calls);
        Assert.Equal($"-r -i {Gpu}", File.ReadAllText(Path.Combine(_folder.Path, "argv")).Trim());
    }

    [Fact]
    public void Reset_WhileAProcessHoldsTheDeviceFile_IsNotTriedAndEverythingResumes()
    {
        string smi = _folder.Put("nvidia-smi", $"#!/bin/sh\necho ran > {_folder.Path}/argv\n", program: true);
        _folder.Put("dev/nvidia1", "");
        using FileStream held = File.OpenRead(Path.Combine(_folder.Path, "dev/nvidia1"));
        Quiesce quiesce = new();
        GpuResetActuator actuator = new(_gpus.Library, new Tools(), Steps.Paths with { NvidiaSmi = smi, Dev = Path.Combine(_folder.Path, "dev") }, quiesce);
        Command command = CommandOf("reset");
        StepResult acted = actuator.Act(command, actuator.PrepareAll(command), Steps.Deadline());

        Assert.False(acted.Ok);
        Assert.Contains($"process {Environment.ProcessId} holds", acted.Detail, StringComparison.Ordinal);
        Assert.Equal("resume", quiesce.Calls[^1]);
        Assert.False(File.Exists(Path.Combine(_folder.Path, "argv")));
    }

    private static string Gpu => FakeGpus.Uuid(1);

    private IActuator Of(Command.ActionOneofCase action) =>
        HostActuators.All(ActuationPolicy.Default, new HostActuatorOptions { BundleFolder = _folder.Path, NvmlLibrary = _gpus.Library, Quiesce = new Quiesce(), Busy = _ => null })
            .Single(actuator => actuator.Action == action);

    private static Command CommandOf(string what) => what switch
    {
        "power" => new Command { GpuPowerLimit = new GpuPowerLimit { Gpu = Gpu, Milliwatts = 450_000 } },
        "persistence" => new Command { GpuPersistence = new GpuPersistence { Gpu = Gpu, Enabled = false } },
        "compute" => new Command { GpuComputeMode = new GpuComputeMode { Gpu = Gpu, Mode = 3 } },
        "ecc" => new Command { GpuEcc = new GpuEcc { Gpu = Gpu, Enabled = false } },
        "mig" => new Command { GpuMig = new GpuMig { Gpu = Gpu, Enabled = true } },
        _ => new Command { GpuReset = new GpuReset { Gpu = Gpu } },
    };

    internal sealed class Quiesce : IGpuQuiesce
    {
        internal List<string> Calls { get; } = [];

        public StepResult CollectEvidence(string gpu, CancellationToken deadline) => Note("evidence");

        public StepResult Release(string gpu, CancellationToken deadline) => Note("release");

        public void Resume(string gpu) => Note("resume");

        private StepResult Note(string call)
        {
            Calls.Add(call);
            return StepResult.Good(call);
        }
    }
}
