using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Fleet;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Series;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Live;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>Letting go of the log from the front: what remains must say everything that is still needed.</summary>
public sealed class WalReleaseTests
{
    private static readonly IngestOptions Options = TestIngest.Small with
    {
        WalSegmentBytes = 128 << 10,
        RelogBytes = 96 << 10,
        WalMaxBytes = 1 << 20,
        RetentionMs = 24 * 3_600_000,
    };

    [Fact]
    public void Room_RunsOut_TheOldestGoAndTheNodeIsStillKnown()
    {
        using TestIngest ingest = new(Options);
        ModelAgent agent = new(ingest, "a");
        ModelAgent silent = new(ingest, "silent", epoch: 3);
        MakeAndSend(ingest, silent, 30);
        silent.CloseStream();
        MakeAndSend(ingest, agent, 40_000);
        Assert.InRange(ingest.Core.Wal.Status().DiskBytes, 1, Options.WalMaxBytes + (3 * Options.WalSegmentBytes));
        Assert.True(ingest.Core.Wal.ForcedReleases > 0);
        Assert.True(ingest.Core.Wal.Status().FirstHeldId > 1);

        agent.CloseStream();
        ingest.Restart();
        Assert.Equal(0, ingest.Counters.ReplayLosses);
        ingest.Open("silent", epoch: 3);
        Assert.Equal(30UL, ingest.Welcome.AcknowledgedSequence);
        ingest.Open("a");
        Assert.Equal(agent.Made, ingest.Welcome.AcknowledgedSequence);

        // Everything behind the place where the log was cut, but for the frames up to the next key frame.
        HashSet<long> stored = [.. Values(ingest.Store, agent.Metric)];
        long first = stored.Min();
        Assert.InRange(first, 2, 39_000);
        for (long s = first; s <= (long)agent.Made; s++)
        {
            Assert.True(s % 7 == 0 || stored.Contains(s), $"{s} of {first} to {agent.Made} is missing");
        }
    }

    [Fact]
    public void Retention_IsOver_TheLogGoesWithIt()
    {
        using TestIngest ingest = new(Options with { RetentionMs = 600_000, WalMaxBytes = 64 << 20 });
        ModelAgent agent = new(ingest, "a");
        MakeAndSend(ingest, agent, 20_000);
        Assert.Equal(0, ingest.Core.Wal.ForcedReleases);
        Assert.InRange(ingest.Core.Wal.Status().DiskBytes, 1, 6 * Options.WalSegmentBytes);
        agent.Disconnect();
        ingest.CutPower();
        ingest.Start();
        HashSet<long> stored = [.. Values(ingest.Store, agent.Metric)];
        for (long s = (long)agent.Made - 590; s <= (long)agent.Made; s++)
        {
            Assert.True(s % 7 == 0 || stored.Contains(s), $"{s} is missing");
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void Store_WithFilesOfItsOwn_LetsTheLogGoEarlyAndGetsTheRestBack(int seed)
    {
        SimulatedDisk disk = new(seed);
        SimulatedTime time = new(DateTimeOffset.FromUnixTimeMilliseconds(AgentSide.Start));
#pragma warning disable CA5394 // Not for secrets.
        Random random = new(seed);
        FileStore files = new();
        AgentSide agent = new();
        byte[] schema = agent.Schema(1, "s", "m");
        List<(byte[] Message, bool IsKey)> sent = [];
        int firstUnsent = 0;
        long newest = 0;
        for (int life = 0; life < 6; life++)
        {
            files.Restart();
            IngestParts parts = new(files, new FleetRegistry(), new EventLedger(1_000), new IngestCounters());
            Assert.True(IngestCore.TryOpen(Options, disk, time, random, parts, Moment.Of(time), out IngestCore? core, out _));
            LinkStream stream = core!.Open("n", new Hello { Protocol = 1, SpoolEpoch = 4, BootId = "b", WallUnixMs = Moment.Of(time).UnixMs }, Moment.Of(time)).Stream!;
            stream.Take(schema, Moment.Of(time));
            for (int back = firstUnsent; back > 0 && !sent[back - 1].IsKey;)
            {
                back--;
                firstUnsent = back;
            }

            firstUnsent = Math.Max(0, firstUnsent - 1);
            foreach ((byte[] message, _) in sent.Skip(firstUnsent))
            {
                stream.Take(message, Moment.Of(time));
            }

            for (int i = random.Next(1_500, 3_000); i > 0; i--)
            {
                time.Advance(TimeSpan.FromSeconds(1));
                bool isKey = sent.Count % 60 == 0;
                double[] value = [agent.Next];
                sent.Add((isKey ? agent.Key((1, value)) : agent.Frame((1, value)), isKey));
                Assert.Equal(IntakeOutcome.Taken, stream.Take(sent[^1].Message, Moment.Of(time)));
                core.Commit();
                if (random.Next(30) == 0)
                {
                    core.Maintain(Moment.Of(time));
                }

                if (random.Next(150) == 0)
                {
                    files.Flush();
                }
            }

            firstUnsent = sent.Count;
            newest = parts.Fleet.Find("n")!.LastFrameUnixMs;
            disk.CutPower();
        }

        files.Flush(); // the very last frame too: its samples are not the log's to bring back, what it says of the node is
        files.Restart();
        IngestParts last = new(files, new FleetRegistry(), new EventLedger(1_000), new IngestCounters());
        Assert.True(IngestCore.TryOpen(Options, disk, time, random, last, Moment.Of(time), out IngestCore? end, out _));
#pragma warning restore CA5394
        Assert.True(end!.Wal.Status().FirstHeldId > 1, "the log was never let go of");
        Assert.Equal(0, end.Wal.ForcedReleases);
        Assert.Equal(newest, last.Fleet.Find("n")!.LastFrameUnixMs);
        Assert.Equal(Enumerable.Range(1, sent.Count).Select(i => (long)i), files.All().Order());
        end.Dispose();
        files.Dispose();
    }

    private static void MakeAndSend(TestIngest ingest, ModelAgent agent, int records)
    {
        for (int i = 1; i <= records; i++)
        {
            ingest.Time.Advance(TimeSpan.FromSeconds(1));
            agent.MakeRecord();
            if (i % 20 == 0 || i == records)
            {
                Assert.True(agent.Exchange());
                ingest.Core.Commit();
                ingest.Core.Maintain(ingest.Now);
                agent.TakeAnswers();
            }
        }
    }

    private static IEnumerable<long> Values(MemoryStore store, string metric)
    {
        using ISampleReader reader = store.OpenReader();
        using SampleBuffer buffer = new();
        foreach (SeriesInfo series in store.Select(Selector.Parse(metric), 0, long.MaxValue).Series)
        {
            reader.Read(series, 0, long.MaxValue, buffer);
        }

        return [.. buffer.Values.ToArray().Select(value => (long)value)];
    }

    /// <summary>
    /// A store with files: rows since the last flush are gone after a restart, those before it are never appended again. A row that comes
    /// twice shows.
    /// </summary>
    private sealed class FileStore : IDurableStore
    {
        private readonly List<long> _inFiles = [];
        private readonly List<long> _inMemory = [];
        private MemoryStore _schemas = new(new MemoryStoreOptions());
        private ulong _appended;
        private ulong _durable;

        public ulong RecoveredWalId { get; private set; }

        internal IEnumerable<long> All() => _inFiles.Concat(_inMemory);

        public bool Flush()
        {
            _inFiles.AddRange(_inMemory);
            _inMemory.Clear();
            _durable = _appended;
            return true;
        }

        public ulong DurableThrough(ulong appendedThrough) => _inMemory.Count == 0 ? Math.Max(_durable, appendedThrough) : _durable;

        public bool UseLog(Guid logId, ulong newestId) => true;

        internal void Restart()
        {
            _inMemory.Clear();
            RecoveredWalId = _durable;
            _schemas.Dispose();
            _schemas = new MemoryStore(new MemoryStoreOptions());
        }

        public RegisterResult Register(string node, string sampler, int intervalMs, IReadOnlyList<SeriesDefinition> series) =>
            _schemas.Register(node, sampler, intervalMs, series);

        public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present) =>
            throw new InvalidOperationException("a row came without its record of the log");

        public AppendResult Append(SchemaHandle schema, long unixMs, ReadOnlySpan<double> values, ReadOnlySpan<ulong> present, ulong walId)
        {
            Assert.True(walId > _appended || RecoveredWalId < _appended, "ids fall");
            Assert.True(walId > RecoveredWalId, "a row that is in a file came again");
            _appended = Math.Max(_appended, walId);
            _inMemory.Add((long)values[0]);
            return AppendResult.Appended;
        }

        public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue) =>
            _schemas.Select(selector, fromUnixMs, toUnixMs, limit);

        public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs) => _schemas.Match(selector, fromUnixMs, toUnixMs);

        public ISampleReader OpenReader() => _schemas.OpenReader();

        public IReadOnlyList<string> Nodes() => _schemas.Nodes();

        public IReadOnlyList<SchemaHandle> Schemas(string node) => _schemas.Schemas(node);

        public LiveSubscription Subscribe(Selector selector, LiveOptions options) => _schemas.Subscribe(selector, options);

        public void Maintain(long nowUnixMs) => _schemas.Maintain(nowUnixMs);

        public StoreStats Stats() => _schemas.Stats();

        public void Dispose() => _schemas.Dispose();
    }
}
