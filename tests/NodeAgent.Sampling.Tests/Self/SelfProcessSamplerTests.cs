using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Sampling.Self;
using NodeAgent.Sampling.Tests.Scheduling;
using NodeAgent.Testing;

namespace NodeAgent.Sampling.Tests.Self;

public sealed class SelfProcessSamplerTests
{
    private static readonly SampleTime Now = new(1_000, 1_000);

    [Fact]
    public void Sample_OfThisProcess_GivesItsRealCosts()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc/self");
        using SelfProcessSampler self = new(new HostRoots());
        self.Sample(Now);
        using System.Diagnostics.Process process = System.Diagnostics.Process.GetCurrentProcess();

        Assert.InRange(SelfSamplerTests.Value(self, "nodeagent_process_resident_memory_bytes")!.Value / process.WorkingSet64, 0.7, 1.3);
        Assert.InRange(SelfSamplerTests.Value(self, "nodeagent_process_threads")!.Value, 1, 1000);
        Assert.True(SeesOpenFiles(self), "the count of open files never agreed with /proc/self/fd");
        Assert.InRange(SelfSamplerTests.Value(self, "nodeagent_process_cpu_seconds_total")!.Value, 0.001, process.TotalProcessorTime.TotalSeconds + 1);
    }

    // Other tests open and close files meanwhile: in one of many readings both counts come from the same moment.
    private static bool SeesOpenFiles(SelfProcessSampler self)
    {
        for (int attempt = 0; attempt < 1000; attempt++)
        {
            self.Sample(Now);
            int openFds = Directory.GetFileSystemEntries("/proc/self/fd").Length;
            if (Math.Abs(openFds - SelfSamplerTests.Value(self, "nodeagent_process_open_fds")!.Value) <= 2)
            {
                return true;
            }
        }

        return false;
    }

    [Fact]
    public void Sample_Again_AllocatesNothing()
    {
        using SelfProcessSampler self = new(new HostRoots());
        self.Sample(Now);

        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                self.Series.ClearValues();
                self.Sample(Now);
            }
        }));
    }
}
