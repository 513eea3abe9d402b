using NodeAgent.Aggregator.Identity;
using NodeAgent.Contracts.Identity;
using NodeAgent.Testing;

namespace NodeAgent.Aggregator.Tests.Identity;

public sealed class StreamLifeTests
{
    private readonly SimulatedTime _time = new();

    [Fact]
    public void Of_ManyStreams_IsAnHourTenPercentMoreOrLess()
    {
        StreamLife life = Life();
        TimeSpan[] lives = [.. Enumerable.Range(0, 1_000).Select(_ => life.Of(Caller(TimeSpan.FromHours(20))))];
        Assert.InRange(lives.Min(), TimeSpan.FromMinutes(54), TimeSpan.FromMinutes(55));
        Assert.InRange(lives.Max(), TimeSpan.FromMinutes(65), TimeSpan.FromMinutes(66));
    }

    [Fact]
    public void Of_ACertificateThatEndsSooner_EndsWithIt()
    {
        Assert.Equal(TimeSpan.FromMinutes(7), Life().Of(Caller(TimeSpan.FromMinutes(7))));
        Assert.Equal(TimeSpan.Zero, Life().Of(Caller(TimeSpan.FromMinutes(-7))));
    }

    [Fact]
    public void Of_ACallerWithoutACertificate_IsTheUsualTime() =>
        Assert.InRange(Life().Of(new CallerIdentity(new FleetIdentity("local", FleetRole.Agent, "n1"))), TimeSpan.FromMinutes(54), TimeSpan.FromMinutes(66));

    [Fact]
    public void Begin_WhenTheTimeIsOver_IsCancelled()
    {
        using CancellationTokenSource over = Life().Begin(Caller(TimeSpan.FromMinutes(7)));
        _time.Advance(TimeSpan.FromMinutes(7) - TimeSpan.FromSeconds(1));
        Assert.False(over.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(over.IsCancellationRequested);
    }

#pragma warning disable CA5394 // Not for secrets.
    private StreamLife Life() => new(TimeSpan.FromHours(1), _time, new Random(1));
#pragma warning restore CA5394

    private CallerIdentity Caller(TimeSpan left)
    {
        FleetIdentity identity = new("lab", FleetRole.Agent, "n1");
        return new CallerIdentity(identity, new PeerCertificate(identity, null, "01", _time.GetUtcNow() + left, []));
    }
}
