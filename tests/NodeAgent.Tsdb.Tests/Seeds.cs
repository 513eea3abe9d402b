namespace NodeAgent.Tsdb.Tests;

/// <summary>
/// Seeds for property tests. The seed is in the name of each test case, so a failure names it; TSDB_SEED=n runs that one alone.
/// </summary>
public static class Seeds
{
    public static TheoryData<int> Few => Make(5);

    public static TheoryData<int> Many => Make(40);

    private static TheoryData<int> Make(int count)
    {
        string? only = Environment.GetEnvironmentVariable("TSDB_SEED");
        return only is null ? new TheoryData<int>(Enumerable.Range(1, count)) : new TheoryData<int>(int.Parse(only));
    }
}
