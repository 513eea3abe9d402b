using NodeAgent.Aggregator.Events;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Journal.Files;
using NodeAgent.Testing.Disk;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Tests.Ingest;

/// <summary>
/// The promise under every failure of the disk and at every moment of a crash: what was acknowledged is there, once. A failing case names
/// its seed or call.
/// </summary>
public sealed class DurabilityTests
{
    private static readonly IngestOptions Options = TestIngest.Small with
    {
        WalSegmentBytes = 128 << 10,
        WalPendingBytes = 128 << 10,
        RelogBytes = 8 << 10,
        WalMaxBytes = 1 << 20,
    };

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 40)]
    [InlineData(3, 40)]
    [InlineData(4, 40)]
    [InlineData(5, 40)]
    public void Crash_AtRandomMoments_LosesNoAcknowledgedRecordAndStoresNoneTwice(int group, int seeds)
    {
        for (int seed = group * 1_000; seed < (group * 1_000) + seeds; seed++)
        {
            using Run run = new(seed, Options);
            run.Play(steps: 250, crashPercent: 4);
            run.Finish();
        }
    }

    [Theory]
    [InlineData(Errno.InputOutput, 1)]
    [InlineData(Errno.NoSpace, 1)]
    [InlineData(Errno.InputOutput, int.MaxValue)]
    [InlineData(Errno.NoSpace, int.MaxValue)]
    [InlineData(Errno.InputOutput, 40)]
    public void Call_FailsTheKth_LosesNoAcknowledgedRecordAndHeals(int errno, int calls)
    {
        long most;
        using (Run probe = new(77, Options))
        {
            probe.Play(steps: 120, crashPercent: 3);
            probe.Finish();
            most = probe.Ingest.Disk.Calls;
        }

        for (long call = 1; call <= most; call += call < 60 ? 1 : 1 + (most / 150))
        {
            using Run run = new(77, Options, new DiskFault(DiskFaultKind.Error, call, errno, calls));
            run.Play(steps: 120, crashPercent: 3);
            run.Finish();
        }
    }

    /// <summary>Two agents and an aggregator that is killed, cut off and starved of its disk, all from one seed.</summary>
    private sealed class Run : IDisposable
    {
#pragma warning disable CA5394 // Not for secrets: it is the seed that matters.
        private readonly Random _random;
        private readonly string _name;
        private readonly ModelAgent[] _agents;
        private bool _isUp;
        private bool _isWhole;

        internal Run(int seed, IngestOptions options, DiskFault? fault = null)
        {
            _random = new Random(seed);
            _name = $"seed {seed}, {fault?.ToString() ?? "no fault"}";
            Ingest = new TestIngest(options, seed: seed, start: false);
            Ingest.Disk.Fault = fault;
            _agents = [new ModelAgent(Ingest, "a"), new ModelAgent(Ingest, "b", epoch: 9)];
            Start();
        }

        internal TestIngest Ingest { get; }

        internal void Play(int steps, int crashPercent)
        {
            for (int step = 0; step < steps; step++)
            {
                Ingest.Time.Advance(TimeSpan.FromMilliseconds(_random.Next(1, 700)));
                if (!_isUp && !Start())
                {
                    continue;
                }

                if (_random.Next(100) < crashPercent)
                {
                    Crash();
                    continue;
                }

                Step();
            }
        }

        /// <summary>The disk works again, everything is delivered, and both sides agree, also after one more restart.</summary>
        internal void Finish()
        {
            Ingest.Disk.Fault = null;
            Ingest.Time.Advance(TimeSpan.FromSeconds(20));
            if (_isUp && !_isWhole)
            {
                Ingest.Kill();
                _isUp = false;
                Array.ForEach(_agents, agent => agent.Disconnect());
            }

            Assert.True(_isUp || Start(), $"{_name}: it does not open on a sound disk");
            Assert.True(_isWhole, $"{_name}: records are gone for good");
            for (int i = 0; i < 20 && _agents.Any(agent => agent.Acknowledged.Prefix < agent.Made); i++)
            {
                Ingest.Time.Advance(TimeSpan.FromSeconds(6));
                Array.ForEach(_agents, agent => agent.Exchange());
                Ingest.Core.Commit();
                Array.ForEach(_agents, agent => agent.TakeAnswers());
            }

            foreach (ModelAgent agent in _agents)
            {
                Assert.True(agent.Acknowledged.Prefix == agent.Made, $"{_name}: {agent.Node} made {agent.Made}, acknowledged are {agent.Acknowledged.Prefix}");
            }

            Check();
            Ingest.CutPower();
            Assert.True(Start(), $"{_name}: it does not open again");
            Check();
        }

        public void Dispose()
        {
            Ingest.Disk.Fault = null;
            if (_isUp)
            {
                Ingest.Dispose();
            }
        }

        private void Step()
        {
            ModelAgent agent = _agents[_random.Next(_agents.Length)];
            switch (_random.Next(10))
            {
                case < 5:
                    for (int i = _random.Next(1, 12); i > 0; i--)
                    {
                        agent.MakeRecord();
                    }

                    agent.Exchange();
                    break;
                case < 7:
                    Ingest.Core.Commit();
                    Array.ForEach(_agents, one => one.TakeAnswers());
                    break;
                case 7:
                    Ingest.Core.Maintain(Ingest.Now);
                    break;
                case 8:
                    agent.CloseStream();
                    break;
                default:
                    agent.Exchange();
                    break;
            }
        }

        private void Crash()
        {
            if (_random.Next(2) == 0)
            {
                Ingest.CutPower();
            }
            else
            {
                Ingest.Kill();
            }

            _isUp = false;
            Array.ForEach(_agents, agent => agent.Disconnect());
            if (Start())
            {
                Check();
            }
        }

        private bool Start()
        {
            _isUp = Ingest.TryStart(out _);
            if (!_isUp)
            {
                // What a failed start left open does not outlive its process.
                Ingest.Disk.KillProcess();
            }

            _isWhole = _isUp && Ingest.Counters.ReplayLosses == 0 && Ingest.Core.Journal.UnreadRecords == 0;
            Assert.True(!_isUp || _isWhole || Ingest.Disk.FaultsHit > 0, $"{_name}: losses on a sound disk");
            return _isUp;
        }

        // What the disk would not give is missing until the next start, and said to be.
        private void Check()
        {
            if (!_isWhole)
            {
                return;
            }

            foreach (ModelAgent agent in _agents)
            {
                CheckFrames(agent);
                CheckEvents(agent);
            }
        }

        private void CheckFrames(ModelAgent agent)
        {
            HashSet<long> stored = [];
            using ISampleReader reader = Ingest.Store.OpenReader();
            using SampleBuffer buffer = new();
            foreach (SeriesInfo series in Ingest.Store.Select(Selector.Parse(agent.Metric), 0, long.MaxValue).Series)
            {
                reader.Read(series, 0, long.MaxValue, buffer);
            }

            for (int i = 0; i < buffer.Count; i++)
            {
                long sequence = (long)buffer.Values[i];
                Assert.True(stored.Add(sequence), $"{_name}: {agent.Node} {sequence} is stored twice");
                Assert.True(buffer.Times[i] == AgentSide.Start + (sequence * 1_000), $"{_name}: {agent.Node} {sequence} has another's time");
            }

            for (ulong s = 1; s <= agent.Made; s++)
            {
                Assert.True(
                    s % 7 == 0 || !agent.Acknowledged.Covers(s, s) || stored.Contains((long)s), $"{_name}: {agent.Node} {s} was acknowledged and is lost");
            }
        }

        private void CheckEvents(ModelAgent agent)
        {
            List<string> kinds = [.. Ingest.Events.Newest(10_000, entry => entry.Node == agent.Node).Select((LedgerEntry entry) => entry.Event.Kind)];
            Assert.True(kinds.Count == kinds.Distinct().Count(), $"{_name}: {agent.Node} has an event twice: {string.Join(' ', kinds)}");
            for (ulong s = 7; s <= agent.Made; s += 7)
            {
                Assert.True(!agent.Acknowledged.Covers(s, s) || kinds.Contains($"e{s}"), $"{_name}: {agent.Node} event {s} was acknowledged and is lost");
            }
        }
#pragma warning restore CA5394
    }
}
