using Microsoft.Extensions.Logging;
using NodeAgent.Hosting.Tests.Logs;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Testing;

public sealed class CapturingLoggerTests : IDisposable
{
    private readonly CapturingLogger _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void Log_ThroughTheFactory_KeepsEverythingOfTheEvent()
    {
        InvalidOperationException error = new("no route");
        _log.CreateLogger("NodeAgent.X").UplinkConnectFailed("a:1", error);

        CapturedEvent one = _log.Single("UplinkConnectFailed");
        Assert.Equal(("NodeAgent.X", LogLevel.Warning, 4002, "Cannot connect to a:1"), (one.Category, one.Level, one.Id.Id, one.Message));
        Assert.Equal("a:1", one.Parameters["PeerAddress"]);
        Assert.Same(error, one.Exception);
    }

    [Fact]
    public void AssertNoErrors_AnErrorNobodyExpected_FailsAndShowsIt()
    {
        _log.AssertNoErrors();
        _log.Log(LogLevel.Error, new EventId(1, "Known"), "text");
        _log.AssertNoErrors("Known");
        InvalidOperationException failure = Assert.Throws<InvalidOperationException>(() => _log.AssertNoErrors());
        Assert.Contains("Error Known(1) text", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Single_NoneOrTwo_Fails()
    {
        Assert.Throws<InvalidOperationException>(() => _log.Single("UplinkConnected"));
        _log.UplinkConnected("a", 1);
        _log.UplinkConnected("b", 1);
        Assert.Throws<InvalidOperationException>(() => _log.Single("UplinkConnected"));
        _log.Clear();
        Assert.Empty(_log.Events);
    }
}
