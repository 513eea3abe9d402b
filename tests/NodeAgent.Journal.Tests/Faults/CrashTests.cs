using NodeAgent.Journal.Files;
using NodeAgent.Journal.Reading;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Journal.Tests.Faults;

/// <summary>
/// Random lives: appends, commits, releases, faults, kills and power cuts that lose, tear and reorder what was not synced. One seed is one
/// life; <c>JOURNAL_SEED=n</c> runs that one alone and prints its calls, <c>JOURNAL_SEEDS=n</c> runs so many instead of 3,000.
/// </summary>
public sealed class CrashTests
{
    private const int Seeds = 3000;

    private static readonly int[] s_errors = [Errno.InputOutput, Errno.NoSpace, Errno.QuotaExceeded, Errno.ReadOnlyFileSystem, Errno.Interrupted];

    [Fact]
    public void Life_CrashingAnywhere_KeepsWhatWasAcknowledgedAndReportsTheRest()
    {
        bool one = int.TryParse(Environment.GetEnvironmentVariable("JOURNAL_SEED"), out int only);
        int last = int.TryParse(Environment.GetEnvironmentVariable("JOURNAL_SEEDS"), out int many) ? many : Seeds;
        for (int seed = one ? only : 1; seed <= (one ? only : last); seed++)
        {
            var life = new Life(seed);
            if (one) life.Trace = [];
            try
            {
                life.Run();
            }
            catch (Exception error)
            {
                if (one) TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', life.Trace!));
                throw new InvalidOperationException($"replay: JOURNAL_SEED={seed} NodeAgent.Journal.Tests -class '*{nameof(CrashTests)}'", error);
            }
        }
    }

    private sealed class Life
    {
        private readonly JournalBench _bench;
        private readonly Random _random;
        private ulong _acknowledged;
        private ulong _released;
        private int _tag;

        public Life(int seed)
        {
            _bench = new JournalBench(seed);
            _random = new Random(seed);
            _bench.Options = _bench.Options with
            {
                Preallocate = _random.Next(3) == 0,
                SegmentBytes = (2 + _random.Next(3)) * 64 * 1024,
                MaxRecordBytes = 70_000,
                MaxPendingBytes = 300_000,
            };
        }

        /// <summary>What happened, for a person who replays a seed.</summary>
        public List<string>? Trace
        {
            get => _bench.Disk.Trace;
            set => _bench.Disk.Trace = value;
        }

        public void Run()
        {
            int lives = 2 + _random.Next(4);
            for (int life = 0; life < lives; life++)
            {
                _tag = life;
                _bench.Disk.Fault = null;
                DurableLog log = _bench.Open();
                Trace?.Add($"-- life {life}: {log.Recovery}");
                Invariants.Hold(_bench, log, _acknowledged, _released);
                _acknowledged = Math.Max(_acknowledged, log.DurableId);
                Live(log);
                End(log);
            }

            _bench.Disk.Fault = null;
            using DurableLog last = _bench.Open();
            Invariants.Hold(_bench, last, _acknowledged, _released);
        }

        private void Live(DurableLog log)
        {
            using JournalReader reader = log.OpenReader(1);
            int steps = 5 + _random.Next(40);
            for (int step = 0; step < steps; step++)
            {
                Step(log, reader);
                if (_acknowledged < log.DurableId) Trace?.Add($"-- acknowledged {log.DurableId}");
                _acknowledged = Math.Max(_acknowledged, log.DurableId);
            }
        }

        private void Step(DurableLog log, JournalReader reader)
        {
            switch (_random.Next(12))
            {
                case < 6:
                    int size = _random.Next(4) == 0 ? _random.Next(70_000) : _random.Next(2000);
                    _bench.Append(log, size, _tag);
                    break;
                case < 8:
                    log.Commit();
                    break;
                case 8:
                    log.Flush();
                    break;
                case 9:
                    _bench.ReadOn(reader);
                    // What the opening told may be met again, and nothing else.
                    if (_bench.Disk.Fault is null) Assert.True(reader.LostRecords <= log.Recovery.LostRecords);
                    break;
                case 10:
                    _released = Math.Max(_released, (ulong)(_random.NextDouble() * log.DurableId));
                    log.ReleaseUpTo(_released);
                    break;
                default:
                    int calls = _random.Next(3) == 0 ? 1 + _random.Next(20) : 1;
                    _bench.Disk.Fault = new DiskFault(
                        _random.Next(6) == 0 ? DiskFaultKind.ShortWrite : DiskFaultKind.Error,
                        _bench.Disk.Calls + 1 + _random.Next(10), s_errors[_random.Next(s_errors.Length)], calls);
                    _bench.Time.Advance(TimeSpan.FromSeconds(_random.Next(10)));
                    break;
            }
        }

        private void End(DurableLog log)
        {
            int how = _random.Next(4);
            Trace?.Add($"-- end {how}, fault {_bench.Disk.Fault}, released {_released}");
            switch (how)
            {
                case 0:
                    log.Dispose();
                    _acknowledged = Math.Max(_acknowledged, log.DurableId);
                    if (_random.Next(2) == 0) _bench.Disk.CutPower();
                    break;
                case 1:
                    _bench.Disk.KillProcess();
                    break;
                default:
                    _bench.Disk.CutPower();
                    break;
            }
        }
    }
}
