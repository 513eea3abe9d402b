using NodeAgent.Contracts.Series;
using NodeAgent.Sampling.Cgroups;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;

namespace NodeAgent.Sampling.Tests.Cgroups;

public sealed class CgroupSamplerTests : IDisposable
{
    private static readonly SampleTime Now = new(1_000, 1_000);
    private readonly string _sys = Directory.CreateTempSubdirectory("cgroups").FullName;

    public CgroupSamplerTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "walks directories with a Linux system call");
        Write("cgroup.controllers", "cpu io memory pids\n");
        SetCount(0);
    }

    public void Dispose() => Directory.Delete(_sys, recursive: true);

    [Fact]
    public void Sample_WithoutControlGroups_IsNoData()
    {
        using CgroupSampler sampler = new(new HostRoots(Sys: Path.Combine(_sys, "nowhere")), 10);

        Assert.Equal(SampleStatus.NoData, sampler.Sample(Now));
        Assert.Equal(0, sampler.Series.Count);
    }

    [Fact]
    public void Sample_WhenAGroupAppears_RebuildsItsColumns()
    {
        using CgroupSampler sampler = Sampler();
        Sample(sampler);
        int version = sampler.Series.Version;
        Sample(sampler);
        Assert.Equal(version, sampler.Series.Version);

        AddService("a.service", usageMicroseconds: 5_000_000);
        SetCount(2);
        Sample(sampler);

        Assert.True(sampler.Series.Version > version);
        Assert.Equal(5, Value(sampler, "node_cgroup_cpu_usage_seconds_total{kind=\"service\",name=\"a.service\"}"));
    }

    [Fact]
    public void Sample_WhenAGroupDisappears_ForgetsIt()
    {
        AddService("a.service", 1);
        AddService("b.service", 1);
        SetCount(3);
        using CgroupSampler sampler = Sampler();
        Sample(sampler);
        Assert.Equal(3, Value(sampler, "node_cgroups")); // and the slice

        Directory.Delete(Path.Combine(_sys, "fs/cgroup/system.slice/b.service"), recursive: true);
        SetCount(2);
        Sample(sampler);

        Assert.Equal(2, Value(sampler, "node_cgroups"));
        Assert.DoesNotContain(sampler.Series.Definitions, series => series.LabelValue("name") == "b.service");
    }

    [Fact]
    public void Sample_WhenOneGroupReplacesAnother_NoticesWithinSixCalls()
    {
        AddService("old.service", 1);
        SetCount(2);
        using CgroupSampler sampler = Sampler();
        Sample(sampler);
        Directory.Delete(Path.Combine(_sys, "fs/cgroup/system.slice/old.service"), recursive: true);
        AddService("new.service", 1);
        for (int i = 0; i < 6; i++)
        {
            Sample(sampler);
        }

        Assert.Contains(sampler.Series.Definitions, series => series.LabelValue("name") == "new.service");
        Assert.DoesNotContain(sampler.Series.Definitions, series => series.LabelValue("name") == "old.service");
    }

    [Fact]
    public void Sample_WhenOnlyGroupsOfNoInterestChange_KeepsItsColumns()
    {
        AddService("a.service", 1);
        SetCount(2);
        using CgroupSampler sampler = Sampler();
        Sample(sampler);
        int version = sampler.Series.Version;
        Write("system.slice/a.service/worker/cpu.stat", "usage_usec 1\n");
        SetCount(3);
        Sample(sampler);

        Assert.Equal(version, sampler.Series.Version);
        Assert.Equal(2, Value(sampler, "node_cgroups"));
    }

    [Fact]
    public void Sample_WhenAServiceIsRestarted_ReadsTheNewGroupUnderTheSameColumns()
    {
        // Only the kernel refuses to read a group that is gone, so this takes a real one.
        string tree = File.Exists("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
        string service = $"nodeagent-test-{Environment.ProcessId}.service";
        string group = Path.Combine(tree, service);
        try
        {
            Directory.CreateDirectory(group);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Assert.Skip($"needs a control group of its own: {e.Message}");
        }

        try
        {
            using CgroupSampler sampler = new(new HostRoots(), 4_096);
            Sample(sampler);
            string usage = $"node_cgroup_cpu_usage_seconds_total{{kind=\"service\",name=\"{service}\"}}";
            Assert.NotNull(Value(sampler, usage));
            int version = sampler.Series.Version;

            Directory.Delete(group);
            Directory.CreateDirectory(group);
            Sample(sampler); // finds it gone
            Assert.Null(Value(sampler, usage));
            Sample(sampler);

            Assert.NotNull(Value(sampler, usage));
            Assert.Equal(version, sampler.Series.Version);
        }
        finally
        {
            Directory.Delete(group);
        }
    }

    [Fact]
    public void Sample_OfMoreGroupsThanTheBound_KeepsTheImportantAndCountsTheRest()
    {
        for (int i = 0; i < 20; i++)
        {
            AddService($"s{i:d2}.service", 1);
        }

        Write("system.slice/slurmstepd.scope/job_7/cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n");
        using CgroupSampler sampler = Sampler(maxGroups: 5);
        Sample(sampler);

        Assert.Equal(5, Value(sampler, "node_cgroups"));
        Assert.Equal(18, Value(sampler, "node_cgroups_left_out")); // 20 services, a slice, a scope and a job, less 5
        Assert.Contains(sampler.Series.Definitions, series => series.LabelValue("kind") == "job");
    }

    [Fact]
    public void Sample_OfAGroupWithAMalformedFile_SaysSoAndKeepsTheOthers()
    {
        AddService("good.service", 3_000_000);
        AddService("bad.service", 1);
        Write("system.slice/bad.service/memory.current", "not a number\n");
        using CgroupSampler sampler = Sampler();

        Assert.Equal(SampleStatus.Malformed, Sample(sampler));
        Assert.Equal(3, Value(sampler, "node_cgroup_cpu_usage_seconds_total{kind=\"service\",name=\"good.service\"}"));
    }

    [Fact]
    public void Sample_OfAnUnlimitedGroup_HasNoLimit()
    {
        AddService("a.service", 1);
        Write("system.slice/a.service/memory.max", "max\n");
        using CgroupSampler sampler = Sampler();
        Sample(sampler);

        Assert.Null(Value(sampler, "node_cgroup_memory_limit_bytes{kind=\"service\",name=\"a.service\"}"));
    }

    [Fact]
    public void Fingerprint_OfTheSameTree_IsTheSameAndDiffersWhenANameMoves()
    {
        AddService("a.service", 1);
        AddService("b.service", 1);
        CgroupTree tree = new(CgroupHierarchy.Find(new HostRoots(Sys: _sys))!);
        ulong before = tree.Fingerprint();
        Assert.Equal(before, tree.Fingerprint());

        Directory.Move(Path.Combine(_sys, "fs/cgroup/system.slice/b.service"), Path.Combine(_sys, "fs/cgroup/b.service"));
        Assert.NotEqual(before, tree.Fingerprint());
    }

    [Theory]
    [InlineData("nr_descendants 5\nnr_dying_descendants 1\n", "nr_descendants 5\nnr_dying_descendants 9\n", true)]
    [InlineData("nr_descendants 5\n", "nr_descendants 6\n", false)]
    [InlineData("#subsys_name\thierarchy\tnum_cgroups\nmemory\t3\t9\t1\n", "#name\thierarchy\tnum_cgroups\nmemory\t3\t10\t1\n", false)]
    public void Digest_OfTheKernelsCounts_ChangesWithLivingGroupsOnly(string before, string after, bool isSame) =>
        Assert.Equal(isSame, Digest(before) == Digest(after));

    private static ulong Digest(string text) => CgroupCounts.Digest(System.Text.Encoding.ASCII.GetBytes(text));

    private CgroupSampler Sampler(int maxGroups = 100) => new(new HostRoots(Sys: _sys), maxGroups);

    private static SampleStatus Sample(CgroupSampler sampler)
    {
        sampler.Series.ClearValues();
        return sampler.Sample(Now);
    }

    private static double? Value(CgroupSampler sampler, string series)
    {
        for (int i = 0; i < sampler.Series.Count; i++)
        {
            if (sampler.Series.Definitions[i].ToString() == series)
            {
                return sampler.Series.IsPresent(i) ? sampler.Series.Values[i] : null;
            }
        }

        return null;
    }

    private void AddService(string name, ulong usageMicroseconds) =>
        Write($"system.slice/{name}/cpu.stat", $"usage_usec {usageMicroseconds}\nuser_usec 0\nsystem_usec 0\n");

    private void SetCount(int groups) => Write("cgroup.stat", $"nr_descendants {groups}\nnr_dying_descendants 0\n");

    private void Write(string path, string text)
    {
        string file = Path.Combine(_sys, "fs/cgroup", path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
