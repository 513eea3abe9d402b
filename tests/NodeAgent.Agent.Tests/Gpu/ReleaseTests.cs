using System.Diagnostics;
using NodeAgent.Agent.Gpu;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Sampling.Events;
using NodeAgent.Sampling.Linux;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Agent.Tests.Gpu;

/// <summary>
/// Letting go of GPUs before a reset, with the real reader process: what it holds is what /proc says it holds.
/// </summary>
public sealed class ReleaseTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nodeagent-gpu-");
    private readonly CapturingLogger _log = new();
    private FakeGpus? _gpus;
    private GpuMonitor? _monitor;
    private IHostEventSource[] _events = [];
    private int _reader;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "what a process holds is read from /proc");
        _gpus = await FakeGpus.TryCreateAsync(_folder.FullName, count: 3);
        Assert.SkipWhen(_gpus is null, "gcc is not installed, so there is no fake GPU to let go of");
        _monitor = new GpuMonitor(
            new GpuSettings { Enabled = GpuUse.Always, Library = _gpus!.Library }, new HostRoots(Sys: _gpus.SysRoot), "boot", TimeSpan.Zero, TimeProvider.System, _log, Start);
        _events = _monitor.Join([]);
        _monitor.Start();
        await Until("three GPUs answer", () => _monitor.Roster.AnsweringCount == 3);
    }

    [Fact]
    public async Task Release_OfOneGpu_ClosesItsFileAndKeepsTheOthers()
    {
        Assert.Equal(["nvidia0", "nvidia1", "nvidia2"], Held());

        _monitor!.Release(FakeGpus.BusId(1));
        await Until("GPU 1 is released", () => _monitor.IsReleased(FakeGpus.BusId(1)));
        Assert.Equal(["nvidia0", "nvidia2"], Held());
        Assert.DoesNotContain("dev/nvidia1", File.ReadAllText($"/proc/{_reader}/maps"));
        Assert.False(_monitor.IsReleased(FakeGpus.BusId(0)));

        _monitor.Reacquire(FakeGpus.BusId(1));
        await Until("three GPUs answer again", () => _monitor.Roster.AnsweringCount == 3);
        Assert.Equal(["nvidia0", "nvidia1", "nvidia2"], Held());
        Assert.Equal(1, _monitor.Supervisor.Starts);
    }

    [Fact]
    public async Task Release_OfAll_EndsTheProcessAndReacquireBringsItBack()
    {
        int before = _reader;

        _monitor!.Release(null);
        await Until("all are released", () => _monitor.IsReleased(null));
        Assert.False(Directory.Exists($"/proc/{before}/fd"));

        _monitor.Reacquire(null);
        await Until("three GPUs answer again", () => _monitor.Roster.AnsweringCount == 3);
        Assert.NotEqual(before, _reader);
        Assert.Equal(["nvidia0", "nvidia1", "nvidia2"], Held());
    }

    [Fact]
    public async Task Ticks_OnceWarm_AllocateNothingOnEitherSide()
    {
        SamplerContext context = new() { Roots = new HostRoots(Sys: _gpus!.SysRoot) };
        ISampler[] samplers = [.. _monitor!.Samplers.Select(entry => entry.Create(context))];
        List<HostEvent> happened = [];
        long warm = 0;
        long readerWarm = 0;
        for (int tick = 0; tick < 30; tick++)
        {
            // Longer than a tier of ten seconds, so that every sampler of it has had its columns built before the counting begins.
            await Task.Delay(TimeSpan.FromMilliseconds(1000), TimeProvider.System);
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (ISampler sampler in samplers)
            {
                sampler.Series.ClearValues();
                sampler.Sample(default);
            }

            foreach (IHostEventSource source in _events)
            {
                source.Drain(default, happened);
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            long reader = _monitor.Roster.Source!.Head.AllocatedBytes;
            if (tick == 22)
            {
                readerWarm = reader;
            }
            else if (tick > 22)
            {
                warm += allocated + reader - readerWarm;
                readerWarm = reader;
            }
        }

        Assert.True(samplers.Sum(sampler => sampler.Series.Count) > 320);
        Assert.Equal(0, warm);
    }

    public async ValueTask DisposeAsync()
    {
        if (_monitor is not null)
        {
            _monitor.Release(null);
            await Until("all are released", () => _monitor.IsReleased(null));
            _monitor.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private ReaderProcess Start(SharedReadings shared)
    {
        ReaderProcess reader = ReaderProcess.Start(shared, "dotnet", Repository.AgentProgram);
        _reader = reader.Id;
        return reader;
    }

    private string[] Held()
    {
        List<string> held = [];
        foreach (string descriptor in Directory.EnumerateFileSystemEntries($"/proc/{_reader}/fd"))
        {
            if (new FileInfo(descriptor).LinkTarget is { } target && Path.GetDirectoryName(target) == _gpus!.DeviceFolder && Path.GetFileName(target) != "nvidiactl")
            {
                held.Add(Path.GetFileName(target));
            }
        }

        held.Sort(StringComparer.Ordinal);
        return [.. held];
    }

    // The tick's part is played here: a look every now and then.
    private async Task Until(string what, Func<bool> isSo)
    {
        Stopwatch watch = Stopwatch.StartNew();
        _monitor!.Roster.Refresh();
        while (!isSo())
        {
            Assert.True(watch.Elapsed < Limit, $"{what} did not happen within {Limit}");
            _monitor.Roster.Refresh();
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }
}
