using Google.Protobuf;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>What a restart brings back is what was there.</summary>
public sealed class WalReplayTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Restart_AfterEverythingThatCanHappen_LeadsToTheSameState(bool isPowerCut)
    {
        using TestIngest ingest = new();
        Play(ingest);
        ingest.Core.Commit();
        string before = Describe(ingest);
        if (isPowerCut)
        {
            ingest.CutPower();
        }
        else
        {
            ingest.Stop();
        }

        ingest.Start();
        Assert.Equal(before, Describe(ingest));
        Assert.Equal(0, ingest.Counters.ReplaySkipped + ingest.Counters.ReplayLosses);
        Assert.Equal(0, ingest.Counters.Frames + ingest.Counters.Events);

        // And once more, with nothing between.
        ingest.Restart();
        Assert.Equal(before, Describe(ingest));
    }

    [Fact]
    public void Restart_WithoutTheBeginningOfTheLog_IsMadeGoodByTheNodesState()
    {
        using TestIngest ingest = new(TestIngest.Small with { RelogBytes = 0 });
        Play(ingest);
        ingest.Core.Maintain(ingest.Now); // the nodes' states, at the end of the log
        ingest.Core.Commit();
        string fleet = DescribeFleet(ingest);
        string events = DescribeEvents(ingest);
        ingest.Core.Wal.ReleaseUpTo(ingest.Core.Wal.LastId - (ulong)ingest.Core.Nodes.Count());
        ingest.CutPower();
        ingest.Start();
        Assert.Equal(fleet, DescribeFleet(ingest));
        Assert.Equal(events, DescribeEvents(ingest));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Restart_AfterAReboot_StillKnowsTheBootBefore(bool isStateWritten)
    {
        using TestIngest ingest = new(TestIngest.Small with { RelogBytes = 0 });
        AgentSide agent = new();
        LinkStream stream = ingest.Open(with: hello => (hello.Boot, hello.MonotonicNs) = (3, 50_000_000_000));
        Take(ingest, stream, agent.Schema(1, "s", "a"), agent.Key((1, [1])));
        stream.Close();
        if (isStateWritten)
        {
            ingest.Core.Maintain(ingest.Now);
            ingest.Core.Commit();
            ingest.Core.Wal.ReleaseUpTo(ingest.Core.Wal.LastId - 1);
        }

        ingest.Restart();
        Assert.Equal(AgentSide.Start - 50_000, ingest.Core.Nodes.Single().Epochs.Single().Boots[3]);
    }

    [Fact]
    public void Log_WithItsOldestFileRemoved_SaysExactlyHowManyRecordsItCost()
    {
        using TestIngest ingest = new(TestIngest.Small with { WalSegmentBytes = 128 << 10, RelogBytes = 64 << 20 });
        AgentSide agent = new();
        LinkStream stream = ingest.Open();
        Take(ingest, stream, agent.Schema(1, "s", [.. Enumerable.Range(0, 500).Select(i => $"m{i}")]));
        double[] values = new double[500];
        for (int i = 1; i <= 127; i++)
        {
            Array.Fill(values, i * 1.1);
            Take(ingest, stream, i % 20 == 1 ? agent.Key((1, values)) : agent.Frame((1, values)));
        }

        ingest.Stop();
        string[] files = [.. ingest.Disk.Paths.Where(path => path.Contains("/wal/", StringComparison.Ordinal) && path.EndsWith(".segment", StringComparison.Ordinal))];
        Assert.True(files.Length >= 3, $"{files.Length} files prove nothing");
        ingest.Disk.RemoveFile(files[0]);
        ingest.Start();

        // The stream's opening and its schema went with the file: nothing that followed on it can be read.
        Assert.Equal(129, ingest.Counters.ReplayLosses);
        Assert.True(ingest.Core.Wal.Recovery.MissingAtHead > 0);
        Assert.Equal("", ingest.Samples("m0"));
        ingest.Restart();
        Assert.Equal(0, ingest.Counters.Frames);
    }

    [Fact]
    public void Record_OfALaterVersion_IsPassedOverAndCounted()
    {
        using TestIngest ingest = new();
        AgentSide agent = new();
        LinkStream stream = ingest.Open();
        stream.Take(agent.Event("x"), ingest.Now);
        ingest.Core.Wal.Append((WalRecordType)200, [1, 2, 3]);
        ingest.Core.Wal.Append(WalRecordType.Open, [99, 1]);
        ingest.Core.Wal.Append(WalRecordType.Node, [99]);
        ingest.Core.Wal.Append(WalRecordType.SetAside, []);
        ingest.Core.Wal.Append(WalRecordType.Message, [0xff]);
        stream.Take(agent.Event("y"), ingest.Now);
        ingest.Restart();
        Assert.Equal(5, ingest.Counters.ReplaySkipped);
        Assert.Equal(["y", "x"], ingest.Events.Newest(9, _ => true).Select(entry => entry.Event.Kind));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Log_WithFlippedBits_LosesSomeSaysSoAndGoesOn(int seed)
    {
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(seed);
        for (int round = 0; round < 40; round++)
        {
            using TestIngest ingest = new(seed: seed + round);
            Play(ingest);
            ingest.Stop();
            foreach (string path in ingest.Disk.Paths.Where(path => path.EndsWith(".segment", StringComparison.Ordinal)))
            {
                int length = ingest.Disk.ReadFile(path).Length;
                for (int flip = random.Next(4); flip > 0; flip--)
                {
                    ingest.Disk.FlipBit(path, random.Next(length), random.Next(8));
                }
            }

            // Another's segment may seem to lie there; that it refuses, in words.
            if (!ingest.TryStart(out Journal.OpenError? error))
            {
                Assert.NotEmpty(error!.Message);
                continue;
            }

            LinkStream stream = ingest.Open("new");
            Assert.Equal(IntakeOutcome.Taken, stream.Take(new AgentSide().Event("x"), ingest.Now));
        }
#pragma warning restore CA5394
    }

    // Two nodes, all kinds of records, both lanes, two epochs, gaps, duplicates, refusals, wrong clocks.
    private static void Play(TestIngest ingest)
    {
        AgentSide agent = new();
        LinkStream stream = ingest.Open(with: hello => hello.MonotonicNs = 50_000_000_000);
        byte[] schema = agent.Schema(1, "s", "a", "b_total");
        byte[] key = agent.Key((1, [1.5, 10]));
        Take(ingest, stream, schema, agent.Schema(2, "bad", "not a name"), key, agent.Frame((1, [double.NaN, 20])));
        Take(ingest, stream, agent.KernelEvent("boot", 7), agent.Event("plain"));
        Take(ingest, stream, new AgentMessage { Inventory = new Inventory { Sequence = agent.Next++, HostName = "h", Kernel = "6.1" } }.ToByteArray());
        agent.Frame((1, [3, 30])); // the agent drops it
        Take(ingest, stream, agent.Frame((1, [4, 40])), agent.Key((1, [5, 50])), agent.Frame((1, [6, -60])));
        Take(ingest, stream, agent.FrameAt(AgentSide.Start + (400L * 86_400_000), (1, [7, 70])));
        stream.Close();

        // Again from the key frame, as an agent that missed the acknowledgement.
        LinkStream again = ingest.Open();
        Take(ingest, again, schema, key);
        LinkStream backlog = ingest.Open(lane: Lane.Backlog, with: hello => hello.FirstHeldSequence = 2);
        Take(ingest, backlog, schema, agent.Key((1, [8, 80])), agent.Frame((1, [9, 90])));
        for (int attempt = 0; attempt < StrikeBook.Most; attempt++)
        {
            LinkStream broken = ingest.Open("n2", epoch: 8);
            broken.Take([0x1a, 0x03, 0x08, 0x01, 0x32], ingest.Now);
        }

        AgentSide other = new() { Next = 2 };
        LinkStream second = ingest.Open("n2", epoch: 8);
        Take(ingest, second, other.Schema(1, "s", "a"), other.Key((1, [100])), other.Event("e"));
        LinkStream reborn = ingest.Open("n2", epoch: 9);
        AgentSide next = new();
        Take(ingest, reborn, next.Schema(1, "s", "a"), next.FrameAt(AgentSide.Start + 90_000, (1, [1])), next.KernelEvent("boot", 3));
        ingest.Time.Advance(TimeSpan.FromSeconds(3));
    }

    private static void Take(TestIngest ingest, LinkStream stream, params byte[][] messages)
    {
        foreach (byte[] message in messages)
        {
            ingest.Time.Advance(TimeSpan.FromMilliseconds(10));
            stream.Take(message, ingest.Now);
            Assert.True(stream.End is null, stream.Reason);
        }
    }

    private static string Describe(TestIngest ingest) =>
        $"{DescribeFleet(ingest)}\n{DescribeEvents(ingest)}\na: {ingest.Samples("a")}\nb: {ingest.Samples("b_total")}\n"
        + string.Join(',', ingest.Store.Nodes().SelectMany(ingest.Store.Schemas).Select(schema => $"{schema.Node}/{schema.Sampler}/{schema.Series.Count}/{schema.NewestUnixMs}"));

    private static string DescribeEvents(TestIngest ingest) => string.Join(
        '\n', ingest.Events.Newest(1_000, _ => true).Select(entry => $"{entry.Node} {entry.ReceivedUnixMs} {entry.Event}"));

    private static string DescribeFleet(TestIngest ingest) => string.Join('\n', ingest.Core.Nodes.OrderBy(intake => intake.Node.Name, StringComparer.Ordinal).Select(Describe));

    private static string Describe(NodeIntake intake)
    {
        FleetNode node = intake.Node;
        string held = string.Join(' ', intake.Epochs.Select(epoch => $"{epoch.Epoch}:{string.Join(',', epoch.Received.Ranges.ToArray())}"));
        string kernel = string.Join(' ', intake.KernelLog.Boots.Select(boot => $"{boot.BootId}:{string.Join(',', boot.Sequences.Ranges.ToArray())}"));
        return $"{node.Name} {node.AgentVersion} {node.BootId} {node.SpoolEpoch} {node.LastSequence} {node.DroppedRecords} {node.Clock} {node.ClockCorrectionMs} "
            + $"{node.LastFrameUnixMs} {node.LastReceivedUnixMs} {node.FirstReceivedUnixMs} {node.Inventory} {node.ShortestIntervalMs} {held} {kernel}";
    }
}
