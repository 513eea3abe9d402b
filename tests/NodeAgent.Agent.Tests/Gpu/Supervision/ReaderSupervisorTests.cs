using NodeAgent.Agent.Gpu.Reader;
using NodeAgent.Agent.Gpu.Readings;
using NodeAgent.Agent.Gpu.Supervision;
using NodeAgent.Nvml;
using NodeAgent.Sampling.Events;
using NodeAgent.Testing;

namespace NodeAgent.Agent.Tests.Gpu.Supervision;

/// <summary>The supervisor's decisions, second by second on a clock moved by hand: ten minutes of a hang take milliseconds.</summary>
public sealed class ReaderSupervisorTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private static readonly string[] Buses = ["0000:10:00", "0000:18:00", "0000:20:00"];

    private readonly SimulatedTime _time = new();
    private readonly CapturingLogger _log = new();
    private readonly GpuOrders _orders = new();
    private readonly List<ScriptedReader> _readers = [];
    private readonly GpuEventQueue _events;
    private readonly ReaderSupervisor _supervisor;
    private string? _library = "/usr/lib/libnvidia-ml.so.1";

    public ReaderSupervisorTests()
    {
        _events = new GpuEventQueue(_time, "boot");
        foreach (string busId in Buses)
        {
            _orders.Know(busId, $"GPU-{busId}");
        }

        _supervisor = new ReaderSupervisor(Start, () => _library, work => work(), _time, Deadline, TimeSpan.Zero, _orders, _events, _log);
    }

    public void Dispose()
    {
        _supervisor.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void Check_WithNothingToDo_AllocatesNothing()
    {
        Run(2, () => _readers[^1].Return());
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 100; i++)
            {
                _supervisor.Check();
            }
        }));
    }

    [Fact]
    public void Hang_ForTenMinutes_LeavesOneReaderBehindAndTakesTheGpuBackAfterwards()
    {
        Run(2);
        _readers[0].Enter(NvmlCall.DeviceGetFieldValues, gpu: 1);
        Run(9);
        Assert.Single(_readers);
        Run(4);

        Assert.Equal(2, _readers.Count);
        Assert.Equal(ReaderOrder.End, _readers[0].Order); // told to end when it can, not killed
        Assert.False(_readers[0].HasExited);
        Assert.Equal([Buses[1]], _readers[1].LeftOut);
        HostEvent stalled = Assert.Single(Drain(), happened => happened.Kind == GpuEventKind.ReaderStalled);
        Assert.Equal(("DeviceGetFieldValues", Buses[1], "D", "nvidia_ioctl"), (stalled.Attribute("call"), stalled.Attribute("pci"), stalled.Attribute("state"), stalled.Attribute("wchan")));
        Assert.Contains("nvidia_ioctl+0x10", stalled.Message);

        Run(600, () => _readers[1].Return());
        Assert.Equal(2, _readers.Count);
        Assert.Equal(1, _supervisor.AbandonedCount);
        Assert.True(_supervisor.IsUp);

        _readers[0].Return();
        _readers[0].Exit(GpuReaderProgram.Done);
        Run(2, () => _readers[1].Return());
        Assert.Equal(0, _supervisor.AbandonedCount);
        Assert.Empty(_readers[1].LeftOut);
        HostEvent returned = Assert.Single(Drain(), happened => happened.Kind == GpuEventKind.ReaderReturned);
        Assert.InRange(int.Parse(returned.Attribute("seconds")), 600, 620);
    }

    [Fact]
    public void Hang_OfASecondReader_StartsNoThirdAndRecoversWhenItsCallReturns()
    {
        Run(2);
        _readers[0].Enter(NvmlCall.DeviceGetFieldValues, gpu: 0);
        Run(13);
        _readers[1].Tell(Buses[1], Buses[2]);
        _readers[1].Enter(NvmlCall.DeviceGetUtilizationRates, gpu: 0);
        Run(3600);

        Assert.Equal(2, _readers.Count);
        Assert.True(_supervisor.IsStalled);
        Assert.Null(_supervisor.Current);
        Assert.Equal(2, Drain().Count(happened => happened.Kind == GpuEventKind.ReaderStalled));

        _readers[1].Return();
        Run(2, () => _readers[1].Return());
        Assert.False(_supervisor.IsStalled);
        Assert.NotNull(_supervisor.Current);
    }

    [Fact]
    public void WaitForEvents_LongerThanADeadline_IsNoHangUntilItsOwnTimeIsOver()
    {
        Run(2);
        _readers[0].Enter(NvmlCall.EventSetWait, gpu: -1);
        Run(11);
        Assert.Equal(0, _supervisor.Stalls);
        Run(3);
        Assert.Equal(1, _supervisor.Stalls);
        Assert.Equal(0, _orders.Number); // about no GPU, so none is left out
    }

    [Fact]
    public void Silence_WithoutACall_IsAHangToo()
    {
        Run(2, () => _readers[^1].Return());
        Run(20);
        Assert.Equal(1, _supervisor.Stalls);
    }

    [Fact]
    public void Crashes_InCallsOfOneGpu_BackOffAndThenLeaveItOutForTenMinutes()
    {
        List<TimeSpan> starts = [];
        for (int crash = 0; crash < 3; crash++)
        {
            int before = _readers.Count;
            while (_readers.Count == before)
            {
                Run(1);
            }

            starts.Add(_time.Elapsed);
            _readers[^1].Tell(Buses);
            _readers[^1].Enter(NvmlCall.DeviceGetTemperatureV, gpu: 2);
            _readers[^1].Exit(139);
        }

        Assert.True(starts[2] - starts[1] > starts[1] - starts[0]);
        Run(10);
        Assert.Equal([Buses[2]], _readers[^1].LeftOut);
        Assert.Equal(3, Drain().Count(happened => happened.Kind == GpuEventKind.ReaderCrashed && happened.Attribute("exit") == "139"));

        Run(600, () => _readers[^1].Return());
        Assert.Empty(_readers[^1].LeftOut);
    }

    [Fact]
    public void Library_ComesLater_IsFound()
    {
        _library = null;
        Run(30);
        Assert.Empty(_readers);

        _library = "/usr/lib/libnvidia-ml.so.1";
        Run(60, () => _readers.ForEach(reader => reader.Return()));
        Assert.Single(_readers);
    }

    [Fact]
    public void ReleaseAll_EndsTheReaderAndNoneStartsUntilTheyAreTakenBack()
    {
        Run(2, () => _readers[^1].Return());
        _orders.Release(null);
        Run(1, () => _readers[^1].Return());
        Assert.Equal(ReaderOrder.End, _readers[0].Order);
        _readers[0].Exit(GpuReaderProgram.Done);
        Run(600);
        Assert.Single(_readers);
        Assert.Equal(0, _supervisor.CurrentId);

        _orders.Reacquire(null);
        Run(2);
        Assert.Equal(2, _readers.Count);
        Assert.DoesNotContain(Drain(), happened => happened.Kind == GpuEventKind.ReaderCrashed);
    }

    private ScriptedReader Start(SharedReadings shared)
    {
        ScriptedReader reader = new(shared, 1000 + _readers.Count, _time);
        reader.Tell(Buses);
        reader.Return();
        _readers.Add(reader);
        return reader;
    }

    private void Run(int seconds, Action? each = null)
    {
        for (int i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _supervisor.Check();
            each?.Invoke();
        }
    }

    private List<HostEvent> Drain()
    {
        List<HostEvent> events = [];
        _events.Drain(events);
        return events;
    }
}
