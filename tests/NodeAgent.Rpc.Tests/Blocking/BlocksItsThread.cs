namespace NodeAgent.Rpc.Tests.Blocking;

/// <summary>Tests that wait on the thread they run on, which is the pool's: beside them, tests with deadlines would wait for a thread.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class BlocksItsThread
{
    public const string Name = "blocks its thread";
}
