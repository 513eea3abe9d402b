using NodeAgent.Hosting.Lifetime;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Lifetime;

public sealed class ServiceNotifierTests
{
    public static TheoryData<string> Addresses => new(
        Path.Combine(Path.GetTempPath(), $"nodeagent-{Environment.ProcessId}.notify"), $"@nodeagent-{Environment.ProcessId}");

    [Theory]
    [MemberData(nameof(Addresses))]
    public void Send_ToAPathOrAnAbstractName_ArrivesAsOneDatagramEach(string address)
    {
        using ServiceManager manager = new(address);
        using ServiceNotifier notifier = new(address);
        Assert.True(notifier.IsConnected);

        notifier.Ready("serving 3 nodes");
        notifier.Status("two\nlines=READY");
        notifier.Reloading(new SimulatedTime());
        notifier.Watchdog();
        notifier.Stopping("stopping: SIGTERM");

        Assert.Equal("READY=1\nSTATUS=serving 3 nodes", manager.Receive());
        Assert.Equal("STATUS=two lines=READY", manager.Receive());
        Assert.Equal("RELOADING=1\nMONOTONIC_USEC=1000000000", manager.Receive());
        Assert.Equal("WATCHDOG=1", manager.Receive());
        Assert.Equal("STOPPING=1\nSTATUS=stopping: SIGTERM", manager.Receive());
        Assert.Equal(0, notifier.Failures);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("relative")]
    [InlineData("vsock:2:1234")]
    public void Send_WithoutAUsableSocket_DoesNothing(string? address)
    {
        using ServiceNotifier notifier = new(address, "30000000");
        notifier.Ready("x");
        notifier.Watchdog();
        Assert.False(notifier.IsConnected);
        Assert.Null(notifier.WatchdogInterval);
        Assert.Equal(0, notifier.Failures);
    }

    [Fact]
    public void Send_WhenTheManagerIsGone_CountsAndGoesOn()
    {
        using ServiceNotifier notifier = new("/nonexistent/notify");
        notifier.Ready("x");
        notifier.Watchdog();
        Assert.Equal(2, notifier.Failures);
    }

    [Fact]
    public void Send_WhenTheManagerDoesNotRead_NeverBlocks()
    {
        using ServiceManager manager = new($"@nodeagent-full-{Environment.ProcessId}");
        using ServiceNotifier notifier = new($"@nodeagent-full-{Environment.ProcessId}");
        for (int i = 0; i < 100_000 && notifier.Failures == 0; i++)
        {
            notifier.Watchdog();
        }

        Assert.NotEqual(0, notifier.Failures);
    }

    [Fact]
    public void Watchdog_Warm_AllocatesNothing()
    {
        using ServiceManager manager = new($"@nodeagent-alloc-{Environment.ProcessId}");
        using ServiceNotifier notifier = new($"@nodeagent-alloc-{Environment.ProcessId}");
        notifier.Watchdog();
        Assert.Equal(0, Allocations.Of(() =>
        {
            notifier.Watchdog();
            notifier.Watchdog();
        }));
        Assert.Equal(0, notifier.Failures);
    }

    [Theory]
    [InlineData("30000000", null, 15.0)]
    [InlineData("30000000", "self", 15.0)]
    [InlineData("30000000", "1", null)]
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    [InlineData(null, null, null)]
    public void WatchdogInterval_IsHalfOfTheLimitIfItIsOurs(string? microseconds, string? pid, double? seconds)
    {
        using ServiceNotifier notifier = new("@nobody", microseconds, pid == "self" ? Environment.ProcessId.ToString() : pid);
        Assert.Equal(seconds, notifier.WatchdogInterval?.TotalSeconds);
    }
}
