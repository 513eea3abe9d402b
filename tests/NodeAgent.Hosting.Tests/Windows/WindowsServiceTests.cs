using System.Runtime.CompilerServices;
using System.Text;
using NodeAgent.Hosting.Windows;

namespace NodeAgent.Hosting.Tests.Windows;

/// <summary>What can be proved of a Windows service without Windows: the states, their order, and the lines.</summary>
public sealed class WindowsServiceTests
{
    private readonly List<ServiceStatus> _told = [];
    private readonly WindowsServiceState _state;

    public WindowsServiceTests() => _state = new WindowsServiceState((in ServiceStatus status) => _told.Add(status));

    [Fact]
    public void States_OfAWholeLife_AreToldInOrderWithOneEnd()
    {
        _state.Starting();
        _state.Starting();
        _state.Ready();
        _state.Repeat();
        _state.Stopping();
        _state.Stopping();
        _state.Ended(0);
        _state.Ended(1);
        _state.Ready();

        Assert.Equal(
            [(2u, 1u), (2u, 2u), (4u, 0u), (4u, 0u), (3u, 1u), (3u, 2u), (1u, 0u)], _told.Select(status => (status.CurrentState, status.CheckPoint)));
        Assert.All(_told, status => Assert.Equal(0x10u, status.ServiceType));
        Assert.Equal(0xDu, _told[2].ControlsAccepted);
        Assert.Equal(0u, _told[0].ControlsAccepted); // a stop while starting comes when it can be done
    }

    [Fact]
    public void Ended_WithAFailure_IsServiceSpecificSoThatRecoveryActs()
    {
        _state.Starting();
        _state.Ended(4);

        Assert.Equal((1u, 1066u, 4u), (_told[^1].CurrentState, _told[^1].Win32ExitCode, _told[^1].ServiceSpecificExitCode));
    }

    [Fact]
    public void Ready_AfterAStopWasAsked_IsNotTold()
    {
        _state.Starting();
        _state.Stopping();
        _state.Ready();

        Assert.Equal(3u, _told[^1].CurrentState);
    }

    [Fact]
    public void ServiceStatus_Size_IsThatOfTheHeader() => Assert.Equal(28, Unsafe.SizeOf<ServiceStatus>());

    [Fact]
    public void Write_InPieces_ReportsWholeLinesByTheirPriority()
    {
        List<(ushort, string)> records = [];
        using EventSourceStream stream = new((type, line) => records.Add((type, line)));

        stream.Write("<6>one\n<4>t"u8);
        stream.Write("wo\n<3>three\nplain\n<6>half"u8);

        Assert.Equal([(4, "one"), (2, "two"), (1, "three"), (4, "plain")], records);
    }

    [Fact]
    public void Write_OfAVeryLongLine_IsCutToWhatARecordTakes()
    {
        List<string> records = [];
        using EventSourceStream stream = new((_, line) => records.Add(line));

        stream.Write(Encoding.UTF8.GetBytes(new string('x', 100_000) + "\n"));

        Assert.Equal(31_000, Assert.Single(records).Length);
    }
}
