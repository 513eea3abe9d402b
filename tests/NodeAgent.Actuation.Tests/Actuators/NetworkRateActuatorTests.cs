using NodeAgent.Actuation.Actuators;
using NodeAgent.Actuation.Host;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Actuators;

/// <summary>With the real tc, in a network namespace of this test's own: no interface of the host is touched.</summary>
public sealed class NetworkRateActuatorTests : IDisposable
{
    private readonly string _namespace = $"natest{Environment.ProcessId}";
    private readonly HostPaths _paths = new();
    private readonly Tools _inside;

    public NetworkRateActuatorTests()
    {
        Assert.SkipUnless(File.Exists(_paths.Tc) && File.Exists(_paths.Ip), "tc and ip are not installed");
        ToolResult made = new Tools().Run(_paths.Ip, ["netns", "add", _namespace], Steps.Deadline());
        Assert.SkipUnless(made.Ok, $"no network namespace can be made: {made.Error}");
        _inside = new Tools(_paths.Ip, "netns", "exec", _namespace);
        ToolResult pair = _inside.Run(_paths.Ip, ["link", "add", "v0", "type", "veth", "peer", "name", "v1"], Steps.Deadline());
        if (!pair.Ok) Dispose();
        Assert.SkipUnless(pair.Ok, $"no veth pair can be made: {pair.Error}");
    }

    [Fact]
    public void Limit_IsSetReadBackAndTakenAway()
    {
        NetworkRateActuator actuator = new(_inside, _paths, []);
        Preparation prepared = actuator.Run(Limit("v0", 2_000_000));
        Assert.Contains("tbf 7a0: root", Qdisc("v0"), StringComparison.Ordinal);

        actuator.TakeBack(prepared);
        Assert.DoesNotContain("tbf", Qdisc("v0"), StringComparison.Ordinal);
    }

    [Fact]
    public void Limit_OnTopOfOurs_GoesBackToOurs()
    {
        NetworkRateActuator actuator = new(_inside, _paths, []);
        actuator.Run(Limit("v0", 2_000_000));
        Preparation second = actuator.Run(Limit("v0", 8_000_000));

        actuator.TakeBack(second);
        Assert.True(actuator.Verify(Limit("v0", 2_000_000), second, Steps.Deadline()).Ok);
    }

    [Fact]
    public void Prepare_SomebodyElseShapesIt_IsRefusedAndNeverDeleted()
    {
        NetworkRateActuator actuator = new(_inside, _paths, []);
        Assert.True(_inside.Run(_paths.Tc, ["qdisc", "add", "dev", "v0", "root", "handle", "1:", "tbf", "rate", "5mbit", "burst", "32kb", "latency", "50ms"], Steps.Deadline()).Ok);

        Assert.Equal("root-free", actuator.FailedOf(Limit("v0", 2_000_000)));
        Assert.True(actuator.Undo(new UndoPlan { Target = "network-rate/v0", Steps = { new UndoStep { Key = "v0", Value = "default" } } }, Steps.Deadline()).Ok);
        Assert.Contains("5Mbit", Qdisc("v0"), StringComparison.Ordinal);
    }

    [Fact]
    public void Prepare_TheWayIn_NeedsAShortTimeToLiveAndEnoughRate()
    {
        Assert.True(_inside.Run(_paths.Ip, ["link", "set", "v0", "up"], Steps.Deadline()).Ok);
        Assert.True(_inside.Run(_paths.Ip, ["addr", "add", "192.0.2.1/24", "dev", "v0"], Steps.Deadline()).Ok);
        Assert.True(_inside.Run(_paths.Ip, ["route", "add", "default", "dev", "v0"], Steps.Deadline()).Ok);
        NetworkRateActuator actuator = new(_inside, _paths, ["v1"]);

        Assert.Equal("not-cut-off", actuator.FailedOf(Limit("v0", 2_000_000)));
        Assert.Equal("not-cut-off", actuator.FailedOf(Limit("v0", 2_000_000, TimeSpan.FromMinutes(11))));
        Assert.Equal("not-cut-off", actuator.FailedOf(Limit("v0", 500_000, TimeSpan.FromMinutes(5))));
        Assert.Equal("not-cut-off", actuator.FailedOf(Limit("v1", 2_000_000)));
        Assert.Equal("", actuator.FailedOf(Limit("v0", 2_000_000, TimeSpan.FromMinutes(10))));
    }

    [Fact]
    public void Prepare_NoSuchInterface_IsRefused() =>
        Assert.Equal("interface-exists", new NetworkRateActuator(_inside, _paths, []).FailedOf(Limit("nothere", 2_000_000)));

    public void Dispose() => new Tools().Run(_paths.Ip, ["netns", "del", _namespace], Steps.Deadline());

    private static Command Limit(string name, ulong bits, TimeSpan ttl = default) =>
        new() { NetworkRateLimit = new NetworkRateLimit { Interface = name, BitsPerSecond = bits }, TtlMs = (ulong)ttl.TotalMilliseconds };

    private string Qdisc(string name) => _inside.Run(_paths.Tc, ["qdisc", "show", "dev", name], Steps.Deadline()).Text;
}
