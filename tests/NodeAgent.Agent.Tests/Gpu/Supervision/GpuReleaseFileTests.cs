using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Testing;

namespace NodeAgent.Agent.Tests.Gpu.Supervision;

public sealed class GpuReleaseFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("nodeagent-release-");
    private readonly CapturingLogger _log = new();
    private readonly Hold _gpus = new("0000:18:00", "0000:3b:00");
    private readonly GpuReleaseFile _file;

    public GpuReleaseFileTests() => _file = new GpuReleaseFile(_folder.FullName, _gpus, new SimulatedTime(), _log);

    private string OrderPath => Path.Combine(_folder.FullName, GpuReleaseFile.OrderName);

    private string AnswerPath => Path.Combine(_folder.FullName, GpuReleaseFile.AnswerName);

    [Fact]
    public void Obey_OneGpuInNvidiaSmisForm_ReleasesItAndAnswersWhenNothingHoldsIt()
    {
        _gpus.HoldsOn = true;
        Order("00000000:18:00.0  # before a reset");
        Assert.Equal(["-0000:18:00"], _gpus.Calls);
        Assert.False(File.Exists(AnswerPath));

        _gpus.HoldsOn = false;
        _file.Obey();
        Assert.Equal(["0000:18:00"], File.ReadAllLines(AnswerPath));
        Assert.Contains("0000:18:00 is let go of", _log.Single("GpuLetGo").Message);
    }

    [Fact]
    public void Obey_OrderTakenAway_ReacquiresAndTakesTheAnswerAway()
    {
        Order("0000:18:00.0", "0000:3b:00.0");
        File.Delete(OrderPath);
        _file.Obey();
        Assert.Equal(["-0000:18:00", "-0000:3b:00", "+0000:18:00", "+0000:3b:00"], _gpus.Calls);
        Assert.False(File.Exists(AnswerPath));
    }

    [Fact]
    public void Obey_AllNarrowedToOne_KeepsThatOne()
    {
        Order("all", "0000:3b:00.0");
        Assert.Equal(["0000:3b:00", "all"], File.ReadAllLines(AnswerPath));
        Order("0000:3b:00.0");
        Assert.Equal(["-all", "-0000:3b:00", "+all", "-0000:3b:00"], _gpus.Calls);
        Assert.Equal(["0000:3b:00"], File.ReadAllLines(AnswerPath));
    }

    [Theory]
    [InlineData("gpu0", "neither a bus id")]
    [InlineData("0000:99:00.0", "no GPU 0000:99:00.0 here")]
    [InlineData("0000:18:00.0;reboot", "neither a bus id")]
    public void Obey_LineThatNamesNoGpu_SaysSoOnceAndObeysTheOthers(string line, string problem)
    {
        Order(line, "0000:3b:00.0");
        _file.Obey();
        Assert.Equal(["-0000:3b:00"], _gpus.Calls);
        Assert.Contains(problem, _log.Single("GpuReleaseOrderUnusable").Message);
    }

    [Fact]
    public void Obey_OthersMayWrite_ChangesNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Unix modes");
        Order("0000:18:00.0");
        File.WriteAllText(OrderPath, "all");
#pragma warning disable CA1416 // skipped above
        File.SetUnixFileMode(OrderPath, (UnixFileMode)0b110_110_110);
#pragma warning restore CA1416
        _file.Obey();
        Assert.Equal(["-0000:18:00"], _gpus.Calls);
        Assert.Contains("can be written by others", _log.Single("GpuReleaseOrderUnusable").Message);
    }

    [Fact]
    public void Obey_NoFolder_DoesNothing()
    {
        GpuReleaseFile none = new(Path.Combine(_folder.FullName, "none"), _gpus, TimeProvider.System, _log);
        none.Obey();
        none.Look();
        Assert.Empty(_gpus.Calls);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void Obey_AnswerOfAnEarlierLife_IsTakenAway()
    {
        File.WriteAllText(AnswerPath, "all\n");
        _file.Obey();
        Assert.False(File.Exists(AnswerPath));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void Order(params string[] lines)
    {
        File.WriteAllLines(OrderPath, lines);
        _file.Obey();
    }

    private sealed class Hold(params string[] known) : IGpuHold
    {
        internal List<string> Calls { get; } = [];

        /// <summary>A call into the driver that does not return.</summary>
        internal bool HoldsOn { get; set; }

        public bool Knows(string busId) => known.Contains(busId);

        public void Release(string? busId) => Calls.Add("-" + (busId ?? "all"));

        public void Reacquire(string? busId) => Calls.Add("+" + (busId ?? "all"));

        public bool IsReleased(string? busId) => !HoldsOn;
    }
}
