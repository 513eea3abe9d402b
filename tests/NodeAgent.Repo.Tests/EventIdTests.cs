using System.Reflection;
using NodeAgent.Testing.Events;

namespace NodeAgent.Repo.Tests;

/// <summary>Event ids are an interface: alerts and runbooks name them.</summary>
public sealed class EventIdTests
{
    internal static IReadOnlyList<EventDescription> All { get; } = EventCatalog.Collect(
        [Assembly.Load("NodeAgent.Hosting"), Assembly.Load("nodeagent"), Assembly.Load("aggregator")]);

    [Fact]
    public void Events_Ids_AreUniqueInTheirRangeAndExplained() => Assert.Empty(EventCatalog.Problems(All));

    [Fact]
    public void Events_AreFound() => Assert.InRange(All.Count, 20, 10_000);
}
