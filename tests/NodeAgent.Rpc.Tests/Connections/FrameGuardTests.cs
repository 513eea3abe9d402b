using System.Buffers;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class FrameGuardTests
{
    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();
    private readonly SimulatedTime _time = new();
    private readonly FrameGuard _guard;

    public FrameGuardTests() => _guard = new FrameGuard(_time);

    [Theory]
    [InlineData(RawHttp2.Ping, 8, FrameGuard.AtOnce)]
    [InlineData(RawHttp2.Settings, 0, FrameGuard.AtOnce)]
    [InlineData(RawHttp2.Reset, 4, FrameGuard.AtOnce)]
    [InlineData(2, 5, FrameGuard.AtOnce)] // PRIORITY
    [InlineData(RawHttp2.Continuation, 0, FrameGuard.AtOnce)]
    [InlineData(RawHttp2.Data, 0, FrameGuard.AtOnce)]
    [InlineData(200, 3, FrameGuard.AtOnce)] // unknown
    [InlineData(RawHttp2.WindowUpdate, 4, 10 * FrameGuard.AtOnce)]
    public void Pass_FloodOfOneType_StopsAtItsLimit(byte type, int length, int most)
    {
        Assert.True(Pass(Preface));
        byte[] frame = RawHttp2.Frame(type, 0, 1, new byte[length]);
        int passed = 0;
        while (passed <= 2 * most && Pass(frame))
        {
            passed++;
        }

        Assert.InRange(passed, most - 1, most + 1);
    }

    [Theory]
    [InlineData(RawHttp2.Data, 0, 1)]
    [InlineData(RawHttp2.Data, RawHttp2.EndStream, 0)]
    [InlineData(RawHttp2.Headers, 0, 10)]
    public void Pass_FramesThatCarrySomething_AreFree(byte type, byte flags, int length)
    {
        Assert.True(Pass(Preface));
        byte[] frame = RawHttp2.Frame(type, flags, 1, new byte[length]);
        for (int i = 0; i < 10 * FrameGuard.AtOnce; i++)
        {
            Assert.True(Pass(frame));
        }
    }

    [Fact]
    public void Pass_AtTheRate_MayGoOnForEver()
    {
        Assert.True(Pass(Preface));
        byte[] ping = RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8]);
        for (int i = 0; i < 10 * FrameGuard.AtOnce; i++)
        {
            _time.Advance(TimeSpan.FromMicroseconds(201));
            Assert.True(Pass(ping));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(13)]
    [InlineData(4096)]
    public void Pass_CutAnywhere_CountsTheSame(int piece)
    {
        byte[] bytes = [.. Preface, .. Enumerable.Range(0, 500).SelectMany(i => RawHttp2.Frame(
            (i % 3) switch { 0 => RawHttp2.Data, 1 => RawHttp2.Ping, _ => RawHttp2.Headers }, 0, 1, new byte[i % 3 == 1 ? 8 : i + 1]))];
        int pings = 167;
        int passed = 0;
        while (passed < FrameGuard.AtOnce)
        {
            bool all = true;
            for (int at = passed == 0 ? 0 : Preface.Length; at < bytes.Length; at += piece)
            {
                all &= _guard.Pass(new ReadOnlySequence<byte>(bytes, at, Math.Min(piece, bytes.Length - at)));
            }

            if (!all)
            {
                break;
            }

            passed += pings;
        }

        Assert.InRange(passed, FrameGuard.AtOnce - pings, FrameGuard.AtOnce);
    }

    [Fact]
    public void Pass_NotHttp2_IsNoneOfItsBusiness()
    {
        byte[] bytes = new byte[1000];
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(Pass(bytes));
        }
    }

    private bool Pass(byte[] bytes) => _guard.Pass(new ReadOnlySequence<byte>(bytes));
}
