using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Lifetime;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Lifetime;

public sealed partial class ProcessLifetimeTests : IDisposable
{
    private const int SigHup = 1;
    private const int SigTerm = 15;

    private readonly SimulatedTime _time = new();
    private readonly CapturingLogger _log = new();
    private readonly List<int> _exits = [];
    private readonly ProcessLifetime _lifetime;
    private int _flushes;

    public ProcessLifetimeTests() => _lifetime = new ProcessLifetime(_log, _time, new ProcessLifetimeOptions
    {
        StopTimeout = TimeSpan.FromSeconds(20),
        FlushLog = () => _flushes++,
        ExitNow = _exits.Add,
    });

    public void Dispose()
    {
        _lifetime.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task TakeStop_TheFirstSignal_CancelsAndSaysWhy()
    {
        Assert.Null(_lifetime.StopReason);
        _lifetime.TakeStop("SIGTERM", SigTerm);
        await Cancelled();
        Assert.Equal("SIGTERM", _lifetime.StopReason);
        Assert.Equal("SIGTERM", _log.Single("StopRequested").Parameters["Reason"]);
        Assert.Empty(_exits);
    }

    [Fact]
    public void TakeStop_ASecondSignalAtOnce_IsTheSameWish()
    {
        _lifetime.TakeStop("SIGINT", 2);
        _time.Advance(TimeSpan.FromMilliseconds(200));
        _lifetime.TakeStop("SIGTERM", SigTerm);
        Assert.Empty(_exits);
        Assert.Single(_log.Named("StopRequested"));
    }

    [Fact]
    public void TakeStop_ASecondSignalLater_EndsAtOnceWithTheShellsCode()
    {
        _lifetime.TakeStop("SIGTERM", SigTerm);
        _time.Advance(TimeSpan.FromSeconds(2));
        _lifetime.TakeStop("SIGINT", 2);
        Assert.Equal([130], _exits);
        Assert.Equal(1, _flushes);
        Assert.Equal("SIGINT", _log.Single("StopForced").Parameters["Signal"]);
    }

    [Fact]
    public void TakeStop_TheFirstSignalDuringAStopFromInside_IsNotImpatience()
    {
        _lifetime.RequestStop("disk full");
        _time.Advance(TimeSpan.FromSeconds(5));
        _lifetime.TakeStop("SIGTERM", SigTerm);
        Assert.Empty(_exits);
        Assert.Equal("disk full", _lifetime.StopReason);
    }

    [Fact]
    public void StopTimeout_WorkThatDoesNotEnd_EndsTheProcessWithItsOwnCode()
    {
        _lifetime.RequestStop("test");
        _time.Advance(TimeSpan.FromSeconds(19));
        Assert.Empty(_exits);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([(int)ExitCode.StopTimedOut], _exits);
        Assert.Equal(1, _flushes);
        _log.AssertNoErrors("StopTimedOut");
    }

    [Fact]
    public void Dispose_InTime_DisarmsTheTimeout()
    {
        _lifetime.RequestStop("test");
        _lifetime.Dispose();
        _time.Advance(TimeSpan.FromHours(1));
        _lifetime.RequestStop("late");
        Assert.Empty(_exits);
        Assert.Equal(0, _time.ArmedTimers);
    }

    [Fact]
    public async Task Stopping_ACallbackThatThrows_IsLoggedAndTheOthersRun()
    {
        // Asynchronous continuations: this test must not go on inside the callback that it waits for.
        TaskCompletionSource ran = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _lifetime.Stopping.Register(ran.SetResult);
        _lifetime.Stopping.Register(() => throw new InvalidOperationException("will not stop"));
        _lifetime.RequestStop("test");
        await ran.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(SpinWait.SpinUntil(() => _log.Named("StopCallbackFailed").Count == 1, TimeSpan.FromSeconds(10)));
        Assert.Equal("will not stop", _log.Single("StopCallbackFailed").Exception!.Message);
    }

    [Fact]
    public void TakeReload_WithoutAHandler_SaysThatItDidNothing()
    {
        _lifetime.TakeReload();
        Assert.Equal(LogLevel.Information, _log.Single("ReloadUnsupported").Level);
    }

    [Fact]
    public async Task Signals_RealOnesOfThisProcess_AreTaken()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill(2)");
        TaskCompletionSource reloaded = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _lifetime.OnReload(() => reloaded.TrySetResult());

        Assert.Equal(0, Kill(Environment.ProcessId, SigHup));
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Null(_lifetime.StopReason);

        Assert.Equal(0, Kill(Environment.ProcessId, SigTerm));
        await Cancelled();
        Assert.Equal("SIGTERM", _lifetime.StopReason);
    }

    private async Task Cancelled()
    {
        TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration _ = _lifetime.Stopping.Register(() => cancelled.TrySetResult());
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
