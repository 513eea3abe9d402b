using System.Diagnostics;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>With real processes of this test's own.</summary>
public sealed class ProcessKillActuatorTests : IDisposable
{
    private readonly List<Process> _processes = [];
    private readonly ProcessKillActuator _actuator;

    public ProcessKillActuatorTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pidfds are Linux's");
        _actuator = new ProcessKillActuator(new HostPaths());
    }

    [Fact]
    public void Kill_WithGrace_EndsOnSigterm()
    {
        Command command = Aim(Start("exec sleep 300"), graceMs: 10_000);
        Preparation prepared = _actuator.PrepareAll(command);

        Assert.Equal("it ended on SIGTERM", _actuator.Act(command, prepared, Steps.Deadline()).Detail);
        Assert.True(_actuator.Verify(command, prepared, Steps.Deadline()).Ok);
    }

    [Fact]
    public void Kill_ProcessThatIgnoresSigterm_EndsOnSigkill()
    {
        Process stubborn = Start("trap '' TERM; echo ready; while :; do read -t 300 x < /dev/zero; done", waitForReady: true);
        Command command = Aim(stubborn, graceMs: 300);
        Preparation prepared = _actuator.PrepareAll(command);

        Assert.Equal("it ended on SIGKILL", _actuator.Act(command, prepared, Steps.Deadline()).Detail);
        Assert.True(_actuator.Verify(command, prepared, Steps.Deadline()).Ok);
    }

    [Fact]
    public void Kill_AnotherProcessWithThePid_IsLeftAlone()
    {
        Process process = Start("exec sleep 300");
        Command command = Aim(process);
        Preparation prepared = _actuator.PrepareAll(command);
        command.ProcessKill.StartTimeTicks--;

        Assert.Equal("start-time-matches", _actuator.FailedOf(command));
        Assert.Equal("it had ended by itself", _actuator.Act(command, prepared, Steps.Deadline()).Detail);
        Assert.False(process.HasExited);
    }

    [Fact]
    public void Prepare_AnotherUsersProcess_IsRefused()
    {
        Command command = Aim(Start("exec sleep 300"));
        command.ProcessKill.Uid += 1;

        Assert.Equal("owner-matches", _actuator.FailedOf(command));
    }

    [Fact]
    public void Prepare_ProcessOneThisProcessAndItsParent_AreProtected()
    {
        foreach (int pid in new[] { 1, Environment.ProcessId, ProcessIdentity.TryRead("/proc", Environment.ProcessId)!.Value.ParentPid })
        {
            ProcessIdentity found = ProcessIdentity.TryRead("/proc", pid)!.Value;
            Command command = new()
            {
                ProcessKill = new ProcessKill { Pid = (uint)pid, StartTimeTicks = found.StartTimeTicks, Uid = found.Uid },
            };
            Assert.Equal("not-protected", _actuator.FailedOf(command));
        }
    }

    [Fact]
    public void Prepare_NoSuchProcess_IsRefused() =>
        Assert.Equal("process-exists", _actuator.FailedOf(new Command { ProcessKill = new ProcessKill { Pid = 4_194_303, StartTimeTicks = 1 } }));

    [Theory]
    [InlineData("7 (a) b) S 1 7 7 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 4711 0 0", 4711UL, true)]
    [InlineData("7 (kworker/0:1) S 2 7 7 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 12 0 0", 12UL, true)]
    [InlineData("7 (x", 0UL, false)]
    [InlineData("", 0UL, false)]
    [InlineData("7 (x) S 1", 0UL, false)]
    public void Identity_NamesWithParenthesesAndBrokenFiles_AreReadOrRefused(string stat, ulong start, bool isThere)
    {
        using TrustedFolder proc = new();
        proc.Put("7/stat", stat);
        proc.Put("7/status", "Name:\tx\nUid:\t0\t0\t0\t0\n");

        ProcessIdentity? found = ProcessIdentity.TryRead(proc.Path, 7);
        Assert.Equal((isThere, start), (found is not null, found?.StartTimeTicks ?? 0));
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
            process.Dispose();
        }
    }

    private Process Start(string script, bool waitForReady = false)
    {
        Process process = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", script]) { RedirectStandardOutput = true })!;
        _processes.Add(process);
        if (waitForReady) Assert.Equal("ready", process.StandardOutput.ReadLine());
        return process;
    }

    private static Command Aim(Process process, uint graceMs = 0)
    {
        ProcessIdentity found = ProcessIdentity.TryRead("/proc", process.Id)!.Value;
        return new Command { ProcessKill = new ProcessKill { Pid = (uint)process.Id, StartTimeTicks = found.StartTimeTicks, Uid = found.Uid, GraceMs = graceMs } };
    }
}
