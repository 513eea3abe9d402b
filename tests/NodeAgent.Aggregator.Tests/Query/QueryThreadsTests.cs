using NodeAgent.Aggregator.Query;

namespace NodeAgent.Aggregator.Tests.Query;

/// <summary>Who answers: a thread that is used again while it is quick, and never again once it was slowed down.</summary>
public sealed class QueryThreadsTests
{
    private readonly QueryThreads _threads = new();

    [Fact]
    public async Task Run_OneAfterTheOther_UsesTheSameThreadAgain()
    {
        HashSet<int> used = [];
        for (int i = 0; i < 200; i++)
        {
            used.Add(await _threads.Run(() => Environment.CurrentManagedThreadId));
        }

        Assert.InRange(used.Count, 1, 100); // the next may come before the last has lain down
    }

    [Fact]
    public async Task Run_OnAThreadThatWasSlowed_HappensNeverAgain()
    {
        for (int i = 0; i < 20; i++)
        {
            Thread slow = await _threads.Run(() =>
            {
                QueryThreads.Lower();
                return Thread.CurrentThread;
            });
            Assert.True(slow.Join(TimeSpan.FromSeconds(20)), "it waits for more work");
        }
    }

    [Fact]
    public async Task Run_ManyAtOnce_AnswersEachWithItsOwnAndThrowsEachItsOwn()
    {
        Task<int>[] asked = [.. Enumerable.Range(0, 64).Select(i => _threads.Run(() => i % 3 == 0 ? throw new InvalidOperationException($"{i}") : i))];
        for (int i = 0; i < asked.Length; i++)
        {
            if (i % 3 == 0)
            {
                Assert.Equal($"{i}", (await Assert.ThrowsAsync<InvalidOperationException>(() => asked[i])).Message);
            }
            else
            {
                Assert.Equal(i, await asked[i]);
            }
        }
    }
}
