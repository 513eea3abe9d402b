using System.Diagnostics;
using NodeAgent.Agent.Gpu;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Sampling.Linux;
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
    private int _reader;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "what a process holds is read from /proc");
        _gpus = await FakeGpus.TryCreateAsync(_folder.FullName, count: 3);
        Assert.SkipWhen(_gpus is null, "gcc is not installed, so there is no fake GPU to let go of");
        _monitor = new GpuMonitor(
            new GpuSettings { Enabled = GpuUse.Always, Library = _gpus!.Library }, new HostRoots(Sys: _gpus.SysRoot), "boot", TimeSpan.Zero, TimeProvider.System, _log, Start);
        _monitor.Join([]);
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
