using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using NodeAgent.Agent.Frames;
using NodeAgent.Agent.Spool;
using NodeAgent.Agent.Uplink;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Hosting.Logs;
using NodeAgent.Sampling.Scheduling;
using NodeAgent.Testing;
using NodeAgent.Testing.Disk;

namespace NodeAgent.Simulation.Tests.World;

/// <summary>
/// One host: its clocks, its disk, and lives of the agent on them, made of the real frame builder, spool and uplink. Keeps the truth: which
/// numbered records were made, which of them may have died with a process, and which the aggregator has acknowledged.
/// </summary>
internal sealed class SimulatedAgent : IDisposable
{
    /// <summary>The one sampler; the first column carries the record's number.</summary>
    internal const string Sampler = "simulated";

    private static readonly MetricDefinition Number = MetricDefinition.Counter("simulated_records_total", "", 1, "Number of the record.");
    private static readonly MetricDefinition Noise = MetricDefinition.Gauge("simulated_noise", "", 100, "Noise.");

    private readonly SimulatedTime _time;
    private readonly Func<SimulatedAggregator?> _aggregator;
    private readonly Action<string> _note;
    private readonly Random _random;
    private readonly TimeSpan _interval;
    private readonly SeriesTable _table = new();
    private readonly MadeRecords _made = new();
    private readonly Dictionary<ulong, ulong> _given = []; // of each epoch: how many of its records were sacrificed
    private readonly Dictionary<long, (ulong Epoch, int Boot)> _madeByWrongClock = [];
    private readonly HashSet<(ulong Epoch, int Boot)> _heardBoots = []; // of which the aggregator acknowledged a record while they lasted: so it has their hello on disk
    private readonly SimulatedDialer _dialer;
    private readonly TimeSpan _phase;
    private DurableSpool? _spool;
    private SpoolProbe? _probe;
    private FrameBuilder? _frames;
    private UplinkClient? _uplink;
    private TimeSpan _tickAt;
    private TimeSpan _pumpAt;
    private int _boots;
    private long _lastNumber;
    private long _lastNumberBeforeBoot;
    private bool _isPumpWanted;
    private bool _hasTicked; // in this life

    internal SimulatedAgent(string name, SimulatedTime time, int seed, TimeSpan interval, Func<SimulatedAggregator?> aggregator, Action<string> note)
    {
        Name = name;
        _note = note;
        _time = time;
        _aggregator = aggregator;
        _interval = interval;
#pragma warning disable CA5394 // Not for secrets: it is the seed that matters.
        _random = new Random(seed);
        _phase = interval * _random.NextDouble();
#pragma warning restore CA5394
        Disk = new SimulatedDisk(seed);
        Clock = new HostClock(time);
        _dialer = new SimulatedDialer(name, time, _random, Weather, aggregator);
        _table.Add(Number);
        _table.Add(Noise);
    }

    internal string Name { get; }

    internal SimulatedDisk Disk { get; }

    internal HostClock Clock { get; }

    internal NetworkWeather Weather { get; } = new();

    internal bool IsAlive => _spool is not null;

    /// <summary>No more records are made.</summary>
    internal bool IsQuiet { get; set; }

    internal long MadeRecords => _lastNumber;

    /// <summary>Numbers that the aggregator has acknowledged.</summary>
    internal HashSet<long> Acknowledged { get; } = [];

    /// <summary>Numbers that died in memory with a life: nobody promised to keep them.</summary>
    internal HashSet<long> MayBeLost { get; } = [];

    /// <summary>Numbers that the spool gave up for want of room; its counters must cover them.</summary>
    internal HashSet<long> Sacrificed { get; } = [];

    /// <summary>Numbers whose time nobody can know, in the aggregator's quarantine.</summary>
    internal HashSet<long> SetAside { get; } = [];

    internal ulong Unacknowledged => (_spool?.UnacknowledgedRecords ?? 0) + (_spool?.Inherited?.UnacknowledgedRecords ?? 0);

    /// <summary>Nothing is owed any more, not by what an earlier life left on the disk either.</summary>
    internal bool IsDrained => _spool is { Mode: SpoolMode.Durable } && Unacknowledged == 0;

    internal DurableSpool Spool => _spool!;

    internal int QueuedBytes => _dialer.Links.Sum(link => link.QueuedBytes);

    internal void Start()
    {
        SpoolPlan plan = new()
        {
            Directory = "/spool",
            MaxBytes = 16 << 20,
            MemoryBytes = 1 << 20,
            Owner = Name,
            BootId = $"boot-{_boots}",
            NewId = NewId,
        };
        HistoryLog<SpoolLog> log = new(what => _note($"{Name} {what}"));
        RepeatedEventGate gate = new(log, Clock);
        _spool = DurableSpool.Open(plan, Disk, Clock, _random, new SpoolLog(log, gate));
        _probe = new SpoolProbe(_spool, OnAcknowledged);
        _spool.OnAppended = () => _isPumpWanted = true;
        _frames = new FrameBuilder(_spool);
        UplinkContext context = new(
            _dialer.Peer, new UplinkIdentity("sim", plan.BootId), Clock, _random, new UplinkLog(NullLogger<UplinkLog>.Instance, gate));
        _uplink = new UplinkClient(_probe, _dialer, context, new BacklogPace(4 / _interval.TotalSeconds, Clock));
        _tickAt = _time.Elapsed + _phase;
        _hasTicked = false;
        _pumpAt = _time.Elapsed;
    }

    /// <summary>Everything of this host that is due now.</summary>
    internal void Step()
    {
        _dialer.Deliver();
        if (_spool is null)
        {
            return;
        }

        if (_time.Elapsed >= _tickAt)
        {
            _tickAt += _interval * Math.Max(1, Math.Floor((_time.Elapsed - _tickAt) / _interval));
            if (!IsQuiet)
            {
                Tick();
            }
        }

        if (_isPumpWanted || _time.Elapsed >= _pumpAt)
        {
            _isPumpWanted = false;
            TimeSpan wait = _spool.Pump();
            _pumpAt = wait == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : _time.Elapsed + wait;
        }

        _uplink!.Step();
    }

    /// <summary>The process is gone in this instant; the host goes on.</summary>
    internal void Kill()
    {
        Die(isReset: true);
        Disk.KillProcess();
    }

    /// <summary>The host loses power; what was not synced may be gone, too.</summary>
    internal void CutPower()
    {
        Die(isReset: false);
        Disk.CutPower();
        Clock.Reboot();
        _boots++;
        _lastNumberBeforeBoot = _lastNumber;
    }

    /// <summary>The end of the simulation, not of a process: those end by <see cref="Kill"/>, without any clearing up.</summary>
    public void Dispose()
    {
        _uplink?.Dispose();
        _spool?.Dispose();
    }

    /// <summary>Under which epoch and sequence a record was made, for the message of a failing seed.</summary>
    internal string PlaceOf(long number) => _made.PlaceOf(number);

    /// <summary>
    /// Only what was made while the wall clock was wrong, in a boot of which the aggregator never heard, has a time that nobody can know.
    /// </summary>
    internal bool MaySetAside(ulong epoch, ulong sequence, string reason)
    {
        ReadOnlySpan<MadeRecord> made = _made.Within(epoch, sequence, sequence);
        if (made.Length != 1 || reason is not (FrameClock.TooNew or FrameClock.TooOld)
            || !_madeByWrongClock.TryGetValue(made[0].Number, out (ulong, int) boot) || _heardBoots.Contains(boot))
        {
            return false;
        }

        SetAside.Add(made[0].Number);
        return true;
    }

    internal void ResetConnections() => _dialer.Abandon(isReset: true);

    // From the seed: an epoch's bytes on disk and wire differ in length from one to the next, and with them when a disk is full.
    private Guid NewId()
    {
        Span<byte> bytes = stackalloc byte[16];
#pragma warning disable CA5394 // Not for secrets.
        _random.NextBytes(bytes);
#pragma warning restore CA5394
        return new Guid(bytes);
    }

    private void Die(bool isReset)
    {
        if (_spool is null)
        {
            return;
        }

        // What was written and not synced survives a killed process, not a power cut; what only memory had survives neither.
        NoteMayBeLost();
        _dialer.Abandon(isReset);
        _spool = null;
        _probe = null;
        _uplink = null;
        _frames = null;
    }

    private void NoteMayBeLost()
    {
        foreach (MadeRecord made in _made.Within(_spool!.Epoch, _spool.DurableThrough + 1, ulong.MaxValue))
        {
            if (!Acknowledged.Contains(made.Number))
            {
                MayBeLost.Add(made.Number);
            }
        }
    }

    // As a real agent does when it starts, and whenever something happened: records between the frames that stand alone.
    private void Happen()
    {
        _spool!.Append(
            new V1.AgentMessage
            {
                Event = new V1.Event { Sequence = _spool.NextSequence, Kind = "simulated", WallUnixMs = Clock.GetUtcNow().ToUnixTimeMilliseconds(), Message = "simulated" },
            }.ToByteArray(),
            RecordKind.Single);
    }

    private void Tick()
    {
#pragma warning disable CA5394 // Not for secrets.
        for (int events = _hasTicked && _random.Next(20) > 0 ? 0 : _random.Next(8); events > 0; events--)
#pragma warning restore CA5394
        {
            Happen();
        }

        _hasTicked = true;
        _lastNumber++;
        Made(_spool!.Epoch, _spool.NextSequence);
        _table.ClearValues();
        _table.Set(0, _lastNumber);
#pragma warning disable CA5394 // Not for secrets.
        _table.Set(1, Math.Round(_random.NextDouble() * 100, 2));
#pragma warning restore CA5394
        bool isRight = Clock.Offset == TimeSpan.Zero && !Clock.IsFrozen;
        if (!isRight)
        {
            _madeByWrongClock[_lastNumber] = (_spool.Epoch, _boots);
        }

        ulong monotonicNs = (ulong)((Int128)Clock.GetTimestamp() * 1_000_000_000 / Clock.TimestampFrequency);
        _frames!.Begin(Clock.GetUtcNow().ToUnixTimeMilliseconds(), monotonicNs, (uint)(isRight ? V1.ClockQuality.Synchronised : V1.ClockQuality.Unsynchronised));
        _frames.Add(Sampler, (uint)_interval.TotalMilliseconds, _table);
        _frames.End();
    }

    // A sequence may be given out again only when its former record was never sent and died with a process.
    private void Made(ulong epoch, ulong sequence)
    {
        long former = _made.Add(epoch, sequence, _lastNumber);
        if (former > 0 && !MayBeLost.Contains(former))
        {
            throw new SimulationException($"{Name}: record {_lastNumber} was given the sequence {sequence:x} of record {former}, which was sent or is durable");
        }
    }

    private void OnAcknowledged(ulong epoch, ulong first, ulong last)
    {
        foreach (MadeRecord made in _made.Within(epoch, first, last))
        {
            // What died before it was sent will never come, and the aggregator says so by acknowledging past it.
            if (!MayBeLost.Contains(made.Number))
            {
                Note(epoch, made.Number, first, last);
            }
        }
    }

    private void Note(ulong epoch, long number, ulong first, ulong last)
    {
        if (_aggregator() is not { } life || Acknowledged.Contains(number) || Sacrificed.Contains(number) || SetAside.Contains(number))
        {
            return;
        }

        int count = life.Store.CountOf(Name, number);
        if (count == 1)
        {
            Acknowledged.Add(number);
            if (number > _lastNumberBeforeBoot)
            {
                _heardBoots.Add((epoch, _boots));
            }

            return;
        }

        // A spool that ran out of room lets go of the oldest, says how many, and the aggregator acknowledges past them.
        Sacrificed.Add(number);
        ISpool spool = _spool!.Epoch == epoch ? _spool : _spool.Inherited!;
        ulong given = spool.Counts.DroppedRecords + spool.Counts.ThinnedRecords;
        _given[epoch] = _given.GetValueOrDefault(epoch) + 1;
        if (_given[epoch] > given)
        {
            throw new SimulationException(
                $"{Name}: record {number} ({PlaceOf(number)}) was acknowledged by {first:x}..{last:x} while stored {count} times, and only {given} were dropped or thinned; "
                + $"first held {spool.FirstHeldSequence:x}, next {spool.NextSequence:x}, readable {spool.ReadableThrough:x}");
        }
    }
}
