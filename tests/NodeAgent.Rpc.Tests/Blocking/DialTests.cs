using System.Net;
using System.Net.Sockets;
using Grpc.Core;
using NodeAgent.Rpc.Blocking;
using NodeAgent.Rpc.Blocking.Transport;

namespace NodeAgent.Rpc.Tests.Blocking;

[Collection(BlocksItsThread.Name)]
public sealed class DialTests
{
    [Fact]
    public void PortWithoutServer_IsRefusedWithItsAddress()
    {
        string address;
        using (ScriptedServer server = new())
        {
            address = server.Address;
        }

        Status failure = Fail(address);
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("connection refused", failure.Detail, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void NameThatDoesNotExist_IsUnavailableWithTheName()
    {
        Status failure = Fail("http://no-such-host.invalid:1");
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("no-such-host.invalid", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Localhost_ServerOnOneFamilyOnly_IsFound()
    {
        using ScriptedServer server = new();
        using BlockingHost client = new($"http://localhost:{new Uri(server.Address).Port}");
        Assert.True(client.Connection.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void Ipv6Literal_IsDialled()
    {
        using Socket listener = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        }
        catch (SocketException e)
        {
            Assert.Skip($"this machine has no IPv6 loopback: {e.Message}");
        }

        listener.Listen();
        using BlockingHost client = new($"http://[::1]:{((IPEndPoint)listener.LocalEndPoint!).Port}");
        Assert.True(client.Connection.Wait(TimeSpan.Zero));
    }

    [Fact]
    public void SilentAddress_IsGivenUpInTime()
    {
        using Socket full = FullListener(out List<Socket> fillers);
        long start = TimeProvider.System.GetTimestamp();
        string address = $"http://127.0.0.1:{((IPEndPoint)full.LocalEndPoint!).Port}";
        Status failure = Fail(address, new BlockingConnectionOptions { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Contains("no answer", failure.Detail, StringComparison.Ordinal);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalMilliseconds, 290, 20_000);
        fillers.ForEach(filler => filler.Dispose());
    }

    [Fact]
    public async Task SilentAddress_CancelledAndWoken_EndsAtOnce()
    {
        using Socket full = FullListener(out List<Socket> fillers);
        using WakeHandle wake = new();
        using CancellationTokenSource stop = new();
        Uri address = new($"http://127.0.0.1:{((IPEndPoint)full.LocalEndPoint!).Port}");
        Task<Status> dialling = Task.Run(() =>
        {
            BlockingConnectionOptions options = new() { ConnectTimeout = TimeSpan.FromMinutes(10) };
            Assert.Null(BlockingConnection.TryConnect(address, options, wake, stop.Token, out Status failure));
            return failure;
        });
        await stop.CancelAsync();
        wake.Wake();
        Assert.Equal(StatusCode.Cancelled, (await dialling.WaitAsync(RpcHost.Patience)).StatusCode);
        fillers.ForEach(filler => filler.Dispose());
    }

    [Fact]
    public void Tls_ServerThatSaysNothing_IsGivenUpInTime()
    {
        using ScriptedServer server = new();
        Status failure = Fail(
            server.Address.Replace("http:", "https:", StringComparison.Ordinal),
            new BlockingConnectionOptions { ConnectTimeout = TimeSpan.FromMilliseconds(300) });
        Assert.Contains("in time", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Alternate_TwoFamilies_TakeTurnsInTheResolversOrder()
    {
        IPAddress[] addresses = [.. new[] { "::1", "::2", "::3", "1.1.1.1", "1.1.1.2" }.Select(IPAddress.Parse)];
        Assert.Equal(["::1", "1.1.1.1", "::2", "1.1.1.2", "::3"], Dial.Alternate(addresses).Select(address => address.ToString()));
    }

    [Fact]
    public void Address_OfAnotherKind_IsABug()
    {
        using WakeHandle wake = new();
        Assert.Throws<ArgumentException>(() => BlockingConnection.TryConnect(new Uri("ftp://x"), null, wake, CancellationToken.None, out _));
    }

    private static Status Fail(string address, BlockingConnectionOptions? options = null)
    {
        using WakeHandle wake = new();
        Assert.Null(BlockingConnection.TryConnect(new Uri(address), options, wake, CancellationToken.None, out Status failure));
        return failure;
    }

    // A listener whose queue is full answers no further SYN: the nearest to a host that is gone that one machine has.
    private static Socket FullListener(out List<Socket> fillers)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        fillers = [];
        while (fillers.Count < 64)
        {
            Socket filler = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            fillers.Add(filler);
            if (!filler.ConnectAsync(listener.LocalEndPoint!).Wait(TimeSpan.FromMilliseconds(200)))
            {
                return listener;
            }
        }

        Assert.Skip("this kernel accepts any number of connections that nobody takes");
        return listener;
    }
}
