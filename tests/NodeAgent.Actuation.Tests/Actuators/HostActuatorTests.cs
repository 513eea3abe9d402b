using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>Governor, service, reboot, diagnostics and bundles, on files and programs of the test's own.</summary>
public sealed class HostActuatorTests : IDisposable
{
    private readonly TrustedFolder _folder = new();

    public HostActuatorTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "these actuators are Linux's");

    [Fact]
    public void EveryRowOfTheCatalogue_HasItsActuator()
    {
        IReadOnlyList<IActuator> all = HostActuators.All(
            ActuationPolicy.Default, new HostActuatorOptions { BundleFolder = _folder.Path, Quiesce = new GpuActuatorTests.Quiesce(), Busy = _ => null });

        Assert.Equal(CommandCatalogue.All.Select(row => row.Action).Order(), all.Select(actuator => actuator.Action).Order());
    }

    [Fact]
    public void Governor_OfAllCpus_IsSetAndGoesBackEachToItsOwn()
    {
        for (int cpu = 0; cpu < 3; cpu++)
        {
            _folder.Put($"devices/system/cpu/cpufreq/policy{cpu}/scaling_available_governors", "performance schedutil powersave\n");
            _folder.Put($"devices/system/cpu/cpufreq/policy{cpu}/scaling_governor", cpu == 1 ? "powersave\n" : "schedutil\n");
        }

        CpuGovernorActuator actuator = new(new HostPaths { Sys = _folder.Path });
        Command command = new() { CpuGovernor = new CpuGovernor { Governor = "schedutil" } };
        Assert.Equal("governor-available", actuator.FailedOf(new Command { CpuGovernor = new CpuGovernor { Governor = "ondemand" } }));
        // A file on a disk keeps what was there behind a shorter text, which the kernel's do not; so the names here have one length.
        Preparation prepared = actuator.PrepareAll(command);
        Assert.True(actuator.Act(command, prepared, Steps.Deadline()).Ok);
        Assert.True(actuator.Verify(command, prepared, Steps.Deadline()).Ok);
        actuator.TakeBack(prepared);
        Assert.Equal(["schedutil", "powersave", "schedutil"], Enumerable.Range(0, 3).Select(cpu =>
            File.ReadAllText(Path.Combine(_folder.Path, $"devices/system/cpu/cpufreq/policy{cpu}/scaling_governor")).Trim()));
    }

    [Fact]
    public void Governor_HostWithoutFrequencies_IsRefused() =>
        Assert.Equal("cpufreq-present governor-available", new CpuGovernorActuator(new HostPaths { Sys = _folder.Path })
            .FailedOf(new Command { CpuGovernor = new CpuGovernor { Governor = "performance" } }));

    [Theory]
    [InlineData("loaded", "yes", true)]
    [InlineData("loaded", "no", false)]
    public void ServiceRestart_AnotherInvocation_IsTheProof(string load, string restarts, bool verified)
    {
        HostPaths paths = FakeSystemctl(load, restarts);
        ServiceRestartActuator actuator = new(new Tools(), paths);
        Command command = new() { ServiceRestart = new ServiceRestart { Unit = "slurmd.service" } };
        Preparation prepared = actuator.PrepareAll(command);

        Assert.True(actuator.Act(command, prepared, Steps.Deadline()).Ok);
        Assert.Equal(verified, actuator.Verify(command, prepared, Steps.Deadline(verified ? 30 : 1)).Ok);
        Assert.Equal(["restart", "--", "slurmd.service"], File.ReadAllLines(Path.Combine(_folder.Path, "argv")));
    }

    [Fact]
    public void ServiceRestart_MaskedUnitOrNoSystemd_IsRefused()
    {
        Command command = new() { ServiceRestart = new ServiceRestart { Unit = "slurmd.service" } };

        Assert.Equal("unit-loaded", new ServiceRestartActuator(new Tools(), FakeSystemctl("masked", "yes")).FailedOf(command));
        Assert.Equal("systemd-runs unit-loaded", new ServiceRestartActuator(new Tools(), new HostPaths { Systemctl = "/nonexistent" }).FailedOf(command));
    }

    [Theory]
    [InlineData("running", null, false, "")]
    [InlineData("degraded", "job 42 runs", true, "")]
    [InlineData("running", "job 42 runs", false, "drained")]
    [InlineData("stopping", null, false, "system-running")]
    public void Reboot_Preconditions_SayWhyNot(string state, string? busy, bool evenIfBusy, string failed)
    {
        _folder.Put("sys/kernel/random/boot_id", "2a2ddd4b-9a9e-4a2c-a70b-000000000000\n");
        string systemctl = _folder.Put("systemctl", $"#!/bin/sh\necho {state}\n", program: true);
        RebootActuator actuator = new(new Tools(), new HostPaths { Proc = _folder.Path, Systemctl = systemctl }, _ => busy);
        Command command = new() { Reboot = new Reboot { EvenIfBusy = evenIfBusy } };

        Assert.Equal(failed, actuator.FailedOf(command));
        Assert.Equal("2a2ddd4b-9a9e-4a2c-a70b-000000000000", actuator.Prepare(command).Memo);
    }

    [Fact]
    public void Reboot_WhileADumpIsSaved_IsRefused()
    {
        _folder.Put("sys/kernel/random/boot_id", "x");
        _folder.Put("vmcore", "");
        string systemctl = _folder.Put("systemctl", "#!/bin/sh\necho running\n", program: true);

        Assert.Equal("no-crash-dump", new RebootActuator(new Tools(), new HostPaths { Proc = _folder.Path, Systemctl = systemctl }, _ => null).FailedOf(new Command { Reboot = new Reboot() }));
    }

    [Fact]
    public void Diagnose_ProgramOfThePolicy_RunsWithItsArgumentsAndNothingElse()
    {
        string program = _folder.Put("show", "#!/bin/sh\nprintf '%s|' \"$@\"\nenv | sort\n", program: true);
        DiagnoseActuator actuator = new(Policy($$""" "diagnostics": { "show": { "argv": ["{{program}}", "a b", "$HOME"] } } """), new Tools(), Steps.Paths);
        Command command = new() { Diagnose = new Diagnose { Name = "show" } };
        StepResult result = actuator.Act(command, actuator.PrepareAll(command), Steps.Deadline());

        Assert.True(result.Ok, result.Detail);
        string printed = Encoding.UTF8.GetString(result.Output!);
        Assert.StartsWith("a b|$HOME|", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("HOME=", printed, StringComparison.Ordinal);
        Assert.Equal("diagnostic-defined", actuator.FailedOf(new Command { Diagnose = new Diagnose { Name = "rm" } }));
    }

    [Fact]
    public void Diagnose_ProgramThatOthersMayWrite_IsRefused()
    {
        string program = _folder.Put("show", "#!/bin/sh\n", program: true);
        File.SetUnixFileMode(program, (UnixFileMode)0b111_111_111);
        DiagnoseActuator actuator = new(Policy($$""" "diagnostics": { "show": { "argv": ["{{program}}"] } } """), new Tools(), Steps.Paths);

        Assert.Equal("program-safe", actuator.FailedOf(new Command { Diagnose = new Diagnose { Name = "show" } }));
    }

    [Fact]
    public void Tools_ProgramThatPrintsForEverOrHangs_IsBoundedAndEnded()
    {
        ToolResult loud = new Tools().Run("/bin/sh", ["-c", "head -c 300000 /dev/zero | tr '\\0' x; exit 3"], Steps.Deadline());
        ToolResult hanging = new Tools().Run("/bin/sh", ["-c", "sleep 300 & wait"], Steps.Deadline(0.5));

        Assert.Equal((3, Tools.MaxOutputBytes), (loud.ExitCode, loud.Output.Length));
        Assert.True(hanging.TimedOut);
        Assert.False(hanging.Ok);
    }

    [Fact]
    public void LogBundle_SecretsLinksAndSize_AreTakenOutLeftOutAndKept()
    {
        const string Canary = "c4n4ryc4n4ryc4n4ry";
        string logs = Path.Combine(_folder.Path, "logs");
        _folder.Put("logs/app.log", $"""
            started
            password={Canary} user=x
            Authorization: Bearer {Canary}
            "api_key": "{Canary}"
            GET https://bob:{Canary}@host/x
            joined with na1.1f.{Canary}.abcdef
            -----BEGIN PRIVATE KEY-----
            {Canary}
            -----END PRIVATE KEY-----
            ended
            """);
        _folder.Put("logs/zbig.log", string.Concat(Enumerable.Range(0, 20_000).Select(i => $"line {i}\n")));
        _folder.Put("outside", Canary);
        File.CreateSymbolicLink(Path.Combine(logs, "link.log"), Path.Combine(_folder.Path, "outside"));
        Assert.Equal(0, System.Diagnostics.Process.Start("mkfifo", [Path.Combine(logs, "pipe.log")]) is { } fifo && fifo.WaitForExit(10_000) ? fifo.ExitCode : -1);
        LogBundleActuator actuator = new(Policy($$""" "bundles": { "all": { "paths": ["{{logs}}", "/nonexistent.log"], "max_bytes": 50000 } } """), Path.Combine(_folder.Path, "bundles"));
        Command command = new() { CommandId = CommandEnvelope.ToBytes(Guid.NewGuid()), LogBundle = new LogBundle { Name = "all" } };
        Preparation prepared = actuator.PrepareAll(command);
        StepResult acted = actuator.Act(command, prepared, Steps.Deadline());

        Assert.True(acted.Ok, acted.Detail);
        Assert.True(actuator.Verify(command, prepared, Steps.Deadline()).Ok);
        Dictionary<string, string> entries = Read(Encoding.UTF8.GetString(acted.Output!));
        Assert.All(entries.Values, text => Assert.DoesNotContain(Canary, text, StringComparison.Ordinal));
        string app = entries.Single(entry => entry.Key.EndsWith("app.log", StringComparison.Ordinal)).Value;
        Assert.Contains("started", app, StringComparison.Ordinal);
        Assert.Contains("ended", app, StringComparison.Ordinal);
        Assert.Contains("user=x", app, StringComparison.Ordinal);
        string big = entries.Single(entry => entry.Key.EndsWith("zbig.log", StringComparison.Ordinal)).Value;
        Assert.EndsWith("line 19999\n", big, StringComparison.Ordinal);
        Assert.True(entries.Values.Sum(text => text.Length) < 52_000);
        Assert.Contains("link.log: no regular file", entries["bundle.txt"], StringComparison.Ordinal);
        Assert.Contains("pipe.log: no regular file", entries["bundle.txt"], StringComparison.Ordinal);
        Assert.Contains("/nonexistent.log: is not there", entries["bundle.txt"], StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static Dictionary<string, string> Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        using GZipStream unzipped = new(file, CompressionMode.Decompress);
        using TarReader tar = new(unzipped);
        Dictionary<string, string> entries = [];
        while (tar.GetNextEntry() is { } entry)
        {
            using StreamReader reader = new(entry.DataStream!);
            entries[entry.Name] = reader.ReadToEnd();
        }

        return entries;
    }

    private static ActuationPolicy Policy(string part)
    {
        Assert.True(PolicyReader.TryParse(Encoding.UTF8.GetBytes($$"""{ "version": 1, {{part}} }"""), out ActuationPolicy? policy, out IReadOnlyList<string> errors), string.Join('\n', errors));
        return policy;
    }

    private HostPaths FakeSystemctl(string load, string restarts)
    {
        string systemctl = _folder.Put("systemctl", $"""
            #!/bin/sh
            here={_folder.Path}
            if [ "$1" = restart ]; then printf '%s\n' "$@" > $here/argv; [ {restarts} = yes ] && echo new > $here/invocation; exit 0; fi
            echo LoadState={load}
            echo ActiveState=active
            echo InvocationID=$(cat $here/invocation 2>/dev/null || echo old)
            """, program: true);
        return new HostPaths { Systemctl = systemctl };
    }
}
