using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Testing;

public sealed class SyncPointTests
{
    [Fact]
    public async Task WaitToContinue_UntilTheTestSaysSo_HoldsTheCode()
    {
        SyncPoint point = new();
        bool passed = false;
        Task code = Task.Run(async () =>
        {
            await point.WaitToContinue();
            Volatile.Write(ref passed, true);
        });

        await point.WaitForSyncPoint();
        Assert.True(point.IsReached);
        Assert.False(Volatile.Read(ref passed));
        point.Continue();
        await code.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(passed);
    }

    [Fact]
    public async Task WaitForSyncPoint_NeverReached_EndsInATimeout() =>
        await Assert.ThrowsAsync<TimeoutException>(() => new SyncPoint().WaitForSyncPoint(TimeSpan.FromMilliseconds(1)));
}
