using System.Text;
using NodeAgent.Hosting.Logs;
using NodeAgent.Testing;

namespace NodeAgent.Hosting.Tests.Logs;

public sealed class LineWriterTests
{
    [Fact]
    public void Log_AReaderThatStopsReading_NeverHoldsUpTheCaller()
    {
        SyncPoint stalled = new();
        using StallingStream stream = new(stalled);
        using EventLog log = new(new EventLogOptions { MaxPendingBytes = 4096 }, new SimulatedTime(), stream);
        Microsoft.Extensions.Logging.ILogger logger = log.CreateLogger("NodeAgent.X");

        logger.UplinkConnected("first", 0);
        Assert.True(SpinWait.SpinUntil(() => stalled.IsReached, TimeSpan.FromSeconds(10)));
        for (int i = 0; i < 1000; i++)
        {
            logger.UplinkConnected("while stalled", i);
        }

        long dropped = log.DroppedLines;
        Assert.InRange(dropped, 950, 999);
        Assert.False(log.Flush(TimeSpan.FromMilliseconds(10)));

        stalled.Continue();
        Assert.True(log.Flush(TimeSpan.FromSeconds(10)));
        logger.UplinkConnected("after", 0);
        Assert.True(log.Flush(TimeSpan.FromSeconds(10)));

        string[] lines = stream.Text.TrimEnd('\n').Split('\n');
        Assert.Equal(1003 - dropped, lines.Length); // first + stalled ones that fit + after + the line about the drops
        Assert.Contains($"level=warn event=LogLinesDropped id=1001 lines={dropped} ", lines[^1], StringComparison.Ordinal);
        Assert.Equal(lines.Length, log.WrittenLines);
        Assert.Equal(dropped, log.DroppedLines);
    }

    [Fact]
    public void Log_FromManyThreads_WritesEveryLineWhole()
    {
        using LogOutput output = new(new EventLogOptions { MaxPendingBytes = 64 * 1024 * 1024 });
        Microsoft.Extensions.Logging.ILogger logger = output.Log.CreateLogger("NodeAgent.X");
        Thread[] threads = [.. Enumerable.Range(0, 8).Select(t => new Thread(() =>
        {
            for (int i = 0; i < 500; i++)
            {
                logger.UplinkConnected($"thread{t}", i);
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        string[] lines = output.Lines();
        Assert.Equal(4000, lines.Length);
        for (int t = 0; t < 8; t++)
        {
            IEnumerable<string> attempts = lines.Select(KeyValueLine.Parse).Where(pairs => pairs["peer"] == $"thread{t}").Select(pairs => pairs["attempts"]);
            Assert.Equal(Enumerable.Range(0, 500).Select(i => i.ToString()), attempts);
        }
    }

    [Fact]
    public void Log_AnOutputThatIsGone_CountsTheLinesAndGoesOn()
    {
        using EventLog log = new(new EventLogOptions(), new SimulatedTime(), new BrokenStream());
        log.CreateLogger("NodeAgent.X").UplinkConnected("a", 1);
        Assert.True(log.Flush(TimeSpan.FromSeconds(10)));
        log.CreateLogger("NodeAgent.X").UplinkConnected("b", 1);
        Assert.True(log.Flush(TimeSpan.FromSeconds(10)));
        Assert.Equal((0, 2), (log.WrittenLines, log.DroppedLines));
    }

    [Fact]
    public void Dispose_WhilePending_FlushesAndThenTakesNoMore()
    {
        using MemoryStream stream = new();
        EventLog log = new(new EventLogOptions(), new SimulatedTime(), stream);
        log.CreateLogger("NodeAgent.X").UplinkConnected("before", 1);
        log.Dispose();
        log.CreateLogger("NodeAgent.X").UplinkConnected("late", 1);
        string text = Encoding.UTF8.GetString(stream.ToArray());
        Assert.Contains("peer=before", text, StringComparison.Ordinal);
        Assert.DoesNotContain("peer=late", text, StringComparison.Ordinal);
        Assert.Equal(1, log.DroppedLines);
    }

    [Fact]
    public async Task Dispose_WithAStalledReader_ReturnsWithinTheFlushTimeout()
    {
        SyncPoint stalled = new();
        using StallingStream stream = new(stalled);
        EventLog log = new(new EventLogOptions { FlushTimeout = TimeSpan.FromMilliseconds(20) }, new SimulatedTime(), stream);
        log.CreateLogger("NodeAgent.X").UplinkConnected("a", 1);
        await Task.Run(log.Dispose).WaitAsync(TimeSpan.FromSeconds(10));
        stalled.Continue();
    }

    /// <summary>Blocks the first write until let go, as a full pipe does.</summary>
    private sealed class StallingStream(SyncPoint stalled) : MemoryStream
    {
        public string Text => Encoding.UTF8.GetString(ToArray());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            stalled.BlockUntilContinued();
            base.Write(buffer);
        }
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("Broken pipe");
    }
}
