using NodeAgent.Agent.Spool;

namespace NodeAgent.Agent.Tests.Spool;

public sealed class RecordSignalTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Set_BeforeTheWait_IsRememberedOnce()
    {
        RecordSignal signal = new();
        signal.Set();
        signal.Set();
        Assert.True(signal.WaitAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
        Assert.False(signal.WaitAsync(CancellationToken.None).AsTask().IsCompleted);
    }

    [Fact]
    public async Task Set_DuringTheWait_EndsIt()
    {
        RecordSignal signal = new();
        Task wait = signal.WaitAsync(CancellationToken.None).AsTask();
        Assert.False(wait.IsCompleted);
        signal.Set();
        await wait.WaitAsync(Patience);
    }

    [Fact]
    public async Task Wait_Cancelled_EndsAndTheNextOneWorks()
    {
        RecordSignal signal = new();
        using CancellationTokenSource source = new();
        Task wait = signal.WaitAsync(source.Token).AsTask();
        await source.CancelAsync();
        OperationCanceledException thrown = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(Patience));
        Assert.Equal(source.Token, thrown.CancellationToken);

        Task next = signal.WaitAsync(CancellationToken.None).AsTask();
        signal.Set();
        await next.WaitAsync(Patience);
    }

    [Fact]
    public async Task Wait_TokenAlreadyCancelled_EndsButASetIsNotLost()
    {
        RecordSignal signal = new();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await signal.WaitAsync(new CancellationToken(true)));
        signal.Set();
        Assert.True(signal.WaitAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public void Wait_SecondWaiter_IsABug()
    {
        RecordSignal signal = new();
        _ = signal.WaitAsync(CancellationToken.None).AsTask();
        Assert.Throws<InvalidOperationException>(() => { _ = signal.WaitAsync(CancellationToken.None).AsTask(); });
    }

    [Fact]
    public async Task Set_FromAnotherThread_IsNeverLost()
    {
        const int Records = 20_000;
        RecordSignal signal = new();
        int produced = 0;
        Task consumer = Task.Run(async () =>
        {
            int seen = 0;
            while (seen < Records)
            {
                seen = Volatile.Read(ref produced);
                if (seen < Records)
                {
                    await signal.WaitAsync(CancellationToken.None);
                }
            }
        });
        for (int i = 0; i < Records; i++)
        {
            Interlocked.Increment(ref produced);
            signal.Set();
        }

        await consumer.WaitAsync(Patience);
    }

    [Fact]
    public async Task Cancel_RacingWithSet_EndsEachWaitExactlyOnce()
    {
        RecordSignal signal = new();
        for (int round = 0; round < 500; round++)
        {
            using CancellationTokenSource source = new();
            Task wait = signal.WaitAsync(source.Token).AsTask();
            Task cancel = Task.Run(source.Cancel);
            signal.Set();
            await Task.WhenAny(wait).WaitAsync(Patience);
            await cancel;
            if (wait.IsCanceled)
            {
                // The set came after the cancellation, so it is still owed.
                Assert.True(signal.WaitAsync(CancellationToken.None).AsTask().IsCompletedSuccessfully);
            }
        }
    }
}
