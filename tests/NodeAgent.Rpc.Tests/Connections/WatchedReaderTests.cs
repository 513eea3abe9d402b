using System.IO.Pipelines;
using NodeAgent.Rpc.Server.Connections;
using NodeAgent.Testing;

namespace NodeAgent.Rpc.Tests.Connections;

public sealed class WatchedReaderTests
{
    private readonly Pipe _pipe = new(new PipeOptions(readerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
    private readonly Watch _watch = new();
    private readonly WatchedReader _reader;

    public WatchedReaderTests() => _reader = new WatchedReader(_pipe.Reader, _watch);

    [Fact]
    public async Task ReadAsync_BytesAreThere_AsksNobody()
    {
        await _pipe.Writer.WriteAsync(new byte[3]);
        ReadResult result = await _reader.ReadAsync();
        Assert.Equal(3, result.Buffer.Length);
        Assert.Equal(0, _watch.Arrivals);
    }

    [Fact]
    public async Task ReadAsync_BytesComeLater_AreHeldBackUntilDelivered()
    {
        for (int i = 1; i <= 3; i++)
        {
            Task<ReadResult> read = _reader.ReadAsync().AsTask();
            await _pipe.Writer.WriteAsync(new byte[i]);
            Assert.Equal(i, _watch.Arrivals);
            Assert.False(read.IsCompleted);
            _reader.Deliver();
            Assert.Equal(i, (await read).Buffer.Length);
            _reader.AdvanceTo((await read).Buffer.End);
        }
    }

    [Fact]
    public async Task Deliver_GoesOnOnItsOwnThread()
    {
        int reader = 0;
        Task reading = ReadAsync();
        await _pipe.Writer.WriteAsync(new byte[1]);
        _reader.Deliver();
        Assert.Equal(Environment.CurrentManagedThreadId, reader);
        await reading;

        async Task ReadAsync()
        {
            await _reader.ReadAsync().ConfigureAwait(false);
            reader = Environment.CurrentManagedThreadId;
        }
    }

    [Fact]
    public async Task Fail_ReaderGetsTheFailure_AndTheBytesStayUnread()
    {
        Task<ReadResult> read = _reader.ReadAsync().AsTask();
        await _pipe.Writer.WriteAsync(new byte[5]);
        _reader.Fail(new IOException("no turn"));
        Assert.Equal("no turn", (await Assert.ThrowsAsync<IOException>(() => read)).Message);
        Assert.Equal(5, (await _reader.ReadAsync()).Buffer.Length);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Deliver_TransportFailed_ReaderGetsItsFailure(bool deliver)
    {
        Task<ReadResult> read = _reader.ReadAsync().AsTask();
        await _pipe.Writer.CompleteAsync(new IOException("reset"));
        if (deliver)
        {
            _reader.Deliver();
        }
        else
        {
            _reader.Fail(new IOException("no turn"));
        }

        Assert.Equal("reset", (await Assert.ThrowsAsync<IOException>(() => read)).Message);
    }

    [Fact]
    public async Task CancelPendingRead_IsDelivered()
    {
        Task<ReadResult> read = _reader.ReadAsync().AsTask();
        _reader.CancelPendingRead();
        _reader.Deliver();
        Assert.True((await read).IsCanceled);
    }

    [Fact]
    public async Task AdvanceTo_PartIsConsumed_GuardSeesEachByteOnce()
    {
        _reader.Guard = new FrameGuard(new SimulatedTime());
        byte[] pings = [.. Enumerable.Repeat(RawHttp2.Frame(RawHttp2.Ping, 0, 0, new byte[8]), 100).SelectMany(frame => frame)];
        await _pipe.Writer.WriteAsync("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray());
        int written = 0;
        while (_watch.Floods == 0 && written < 2 * FrameGuard.AtOnce)
        {
            await _pipe.Writer.WriteAsync(pings);
            written += 100;
            ReadResult result = await _reader.ReadAsync();
            _reader.AdvanceTo(result.Buffer.GetPosition(result.Buffer.Length / 2), result.Buffer.End);

            // Examined to the end: the next read waits for more.
            await _pipe.Writer.WriteAsync(pings);
            written += 100;
            result = await _reader.ReadAsync();
            _reader.AdvanceTo(result.Buffer.End);
        }

        Assert.InRange(written, FrameGuard.AtOnce, FrameGuard.AtOnce + 200);
        Assert.Equal(1, _watch.Floods);
    }

    private sealed class Watch : IReceiveWatch
    {
        internal int Arrivals { get; private set; }

        internal int Floods { get; private set; }

        public void OnArrived() => Arrivals++;

        public void OnFlood() => Floods++;
    }
}
