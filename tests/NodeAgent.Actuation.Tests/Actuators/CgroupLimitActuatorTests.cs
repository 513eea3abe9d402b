using System.Diagnostics;
using System.Globalization;
using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

public sealed class CgroupLimitActuatorTests
{
    private const string Root = "/sys/fs/cgroup";

    [Fact]
    public void Cpu_AQuarterOfACore_IsAllABusyLoopGets()
    {
        using RealGroup group = RealGroup.Make("cpu");
        CgroupLimitActuator actuator = new(new HostPaths());
        Command command = new() { CgroupLimit = new CgroupLimit { Path = group.Name, CpuMillicores = 250 } };
        string before = group.CpuLimit();
        Preparation prepared = actuator.Run(command);

        using Process busy = group.Start("while :; do :; done");
        try
        {
            long start = Stopwatch.GetTimestamp();
            TimeSpan used = busy.TotalProcessorTime;
#pragma warning disable RS0030 // The kernel's scheduler is waited for; it has no clock of ours.
            Thread.Sleep(2000);
#pragma warning restore RS0030
            busy.Refresh();
            double ratio = (busy.TotalProcessorTime - used) / Stopwatch.GetElapsedTime(start);

            Assert.True(ratio < 0.35, $"it used {ratio:P0} of a core; 25 % is allowed");
            Assert.True(group.ThrottledPeriods() > 0, "the kernel never held it back: the machine was too busy to tell");
        }
        finally
        {
            busy.Kill();
            busy.WaitForExit();
        }

        actuator.TakeBack(prepared);
        Assert.Equal(before, group.CpuLimit());
    }

    [Fact]
    public void Memory_ALimit_EndsWhoTakesMoreAndNotWhoTakesLess()
    {
        using RealGroup group = RealGroup.Make("memory");
        CgroupLimitActuator actuator = new(new HostPaths());
        Preparation prepared = actuator.Run(new Command
        {
            CgroupLimit = new CgroupLimit { Path = group.Name, MemoryHighBytes = 30 << 20, MemoryMaxBytes = 32 << 20 },
        });

        using (Process modest = group.Start("exec dd if=/dev/zero of=/dev/null bs=4M count=1 status=none"))
        {
            Assert.True(modest.WaitForExit(60_000));
            Assert.Equal(0, modest.ExitCode);
        }

        using (Process greedy = group.Start("exec dd if=/dev/zero of=/dev/null bs=256M count=1 status=none"))
        {
            if (!greedy.WaitForExit(60_000)) greedy.Kill();
            Assert.NotEqual(0, greedy.ExitCode);
        }

        actuator.TakeBack(prepared);
    }

    [Fact]
    public void Prepare_PathOutOfTheTree_IsRefused()
    {
        CgroupLimitActuator actuator = new(new HostPaths());
        foreach (string path in (string[])["/", "relative", "/a/../b", "/./a"])
        {
            Assert.Equal("path-inside", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = path, CpuMillicores = 100 } }));
        }
    }

    [Fact]
    public void Prepare_NothingAskedOrMemoryTheWrongWayRound_IsRefused()
    {
        using TrustedFolder tree = Version2();
        CgroupLimitActuator actuator = new(new HostPaths { CgroupRoot = tree.Path });

        Assert.Equal("something-asked", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/job" } }));
        Assert.Equal("something-asked", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/job", CpuMillicores = 100, IoDevice = "8:0" } }));
        Assert.Equal("memory-order", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/job", MemoryHighBytes = 9 << 20, MemoryMaxBytes = 8 << 20 } }));
        Assert.Equal("memory-fits", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/job", MemoryMaxBytes = 1 << 20 } }));
        Assert.Equal("cgroup-exists controllers-present", actuator.FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/other", CpuMillicores = 1 } }));
    }

    [Fact]
    public void Prepare_LinkInTheTree_IsRefused()
    {
        using TrustedFolder tree = Version2();
        Directory.CreateSymbolicLink(Path.Combine(tree.Path, "link"), "/sys/fs/cgroup");

        Assert.Equal("path-inside", new CgroupLimitActuator(new HostPaths { CgroupRoot = tree.Path })
            .FailedOf(new Command { CgroupLimit = new CgroupLimit { Path = "/link", CpuMillicores = 1 } }));
    }

    [Fact]
    public void Act_MoreInUseThanTheMaximum_IsNotWrittenAndHighGoesBack()
    {
        using TrustedFolder tree = Version2();
        tree.Put("job/memory.current", "10485760\n");
        CgroupLimitActuator actuator = new(new HostPaths { CgroupRoot = tree.Path });
        Command command = new() { CgroupLimit = new CgroupLimit { Path = "/job", MemoryHighBytes = 4 << 20, MemoryMaxBytes = 8 << 20 } };
        Preparation prepared = actuator.PrepareAll(command);

        StepResult acted = actuator.Act(command, prepared, Steps.Deadline(0.3));

        Assert.False(acted.Ok);
        Assert.Contains("which was not written", acted.Detail, StringComparison.Ordinal);
        Assert.StartsWith("4194304", File.ReadAllText(Path.Combine(tree.Path, "job/memory.high")), StringComparison.Ordinal);
        Assert.StartsWith("max", File.ReadAllText(Path.Combine(tree.Path, "job/memory.max")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("200000 100000", "200000 100000", true)]
    [InlineData("200000 100000", "max 100000", false)]
    [InlineData("1000001", "999424", true)] // rounded down to a page
    [InlineData("1000001", "1003520", false)]
    [InlineData("-1", "9223372036854771712", true)] // v1 memory without a limit
    [InlineData("8:0 rbps=1048576", "8:0 rbps=1048576 wbps=max riops=max wiops=max", true)]
    [InlineData("8:0 rbps=1048576", "8:16 rbps=1048576 wbps=max", false)]
    [InlineData("8:0 0", null, false)]
    public void Knob_WhatReads_IsComparedAsTheKernelRounds(string wanted, string? read, bool same) => Assert.Equal(same, CgroupKnob.Matches(wanted, read));

    private static TrustedFolder Version2()
    {
        TrustedFolder tree = new();
        tree.Put("cgroup.controllers", "cpu io memory\n");
        tree.Put("job/cpu.max", "max 100000\n");
        tree.Put("job/memory.high", "max\n");
        tree.Put("job/memory.max", "max\n");
        tree.Put("job/memory.current", "2097152\n");
        tree.Put("job/io.max", "");
        return tree;
    }

    /// <summary>A cgroup of this test's own in the kernel's real tree.</summary>
    private sealed class RealGroup : IDisposable
    {
        private readonly string _controller;

        private RealGroup(string controller)
        {
            _controller = IsVersion2 ? "" : controller;
            Name = $"/nodeagent-test-{Environment.ProcessId}-{controller}";
        }

        internal string Name { get; }

        private static bool IsVersion2 => File.Exists(Path.Combine(Root, "cgroup.controllers"));

        private string Folder => Path.Combine(Root, _controller, Name.TrimStart('/'));

        internal static RealGroup Make(string controller)
        {
            Assert.SkipUnless(OperatingSystem.IsLinux(), "cgroups are Linux's");
            RealGroup group = new(controller);
            try
            {
                Directory.CreateDirectory(group.Folder);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Assert.Skip($"no cgroup can be made below {Root}: {e.Message}");
            }

            string file = controller == "cpu" ? IsVersion2 ? "cpu.max" : "cpu.cfs_quota_us" : IsVersion2 ? "memory.max" : "memory.limit_in_bytes";
            if (!File.Exists(Path.Combine(group.Folder, file)))
            {
                group.Dispose();
                Assert.Skip($"the {controller} controller is not there ({file})");
            }

            return group;
        }

        internal Process Start(string script)
        {
            string procs = Path.Combine(Folder, "cgroup.procs");
            return Process.Start(new ProcessStartInfo("/bin/sh", ["-c", $"echo $$ > {procs} || exit 99; {script}"]))!;
        }

        internal string CpuLimit() => File.ReadAllText(Path.Combine(Folder, IsVersion2 ? "cpu.max" : "cpu.cfs_quota_us")).Trim();

        internal long ThrottledPeriods() =>
            long.Parse(File.ReadLines(Path.Combine(Folder, "cpu.stat")).First(line => line.StartsWith("nr_throttled", StringComparison.Ordinal)).Split(' ')[1], CultureInfo.InvariantCulture);

        public void Dispose()
        {
            // The kernel lets a cgroup go once its last process has been taken down.
            for (int tries = 0; Directory.Exists(Folder) && tries < 50; tries++)
            {
                try
                {
                    Directory.Delete(Folder);
                }
                catch (IOException) when (tries < 49)
                {
#pragma warning disable RS0030 // Waits for the kernel.
                    Thread.Sleep(50);
#pragma warning restore RS0030
                }
            }
        }
    }
}
