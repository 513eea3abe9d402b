using NodeAgent.Detection;
using NodeAgent.Detection.Rules;

namespace NodeAgent.Aggregator.Detection;

/// <summary>A GPU, a file system, an interface or a node itself: its newest readings by slot, and the rules over them.</summary>
internal sealed class WatchedDevice : IReadings
{
    // A reading older than this decides nothing; slow samplers may come once in a minute.
    private const long StaleMs = 30_000;
    private const long StaleIntervals = 5;

    private readonly RuleFamily _family;
    private readonly double[] _values;
    private readonly long[] _readMs;
    private readonly long[] _staleMs;
    private readonly int _bornSlot;
    private readonly double _bornValue;
    private bool _isSettled;
    private long _nowMs;

    internal WatchedDevice(RuleFamily family, string node, string name, Func<string, double> strictness)
    {
        (_family, Name) = (family, name);
        _values = new double[family.Slots];
        _readMs = new long[family.Slots];
        _staleMs = new long[family.Slots];
        Array.Fill(_values, double.NaN);
        (_bornSlot, _bornValue) = family.BornSo;
        _isSettled = _bornSlot < 0;
        Rules = new RuleWatch(family.Rules, node, name) { Strictness = strictness };
    }

    internal RuleFamily Family => _family;

    internal string Name { get; }

    internal RuleWatch Rules { get; }

    /// <summary>Newest reading of any slot.</summary>
    internal long NewestMs { get; private set; }

    /// <summary>The job that a label says runs here; "" for none.</summary>
    internal string Job { get; set; } = "";

    /// <summary>Takes a reading in; several series of one slot at one instant are folded.</summary>
    internal void Set(int slot, double value, long unixMs, int intervalMs)
    {
        _values[slot] = _readMs[slot] != unixMs || double.IsNaN(_values[slot]) ? value
            : _family.Folds[slot] == SlotFold.Least ? Math.Min(_values[slot], value) : Math.Max(_values[slot], value);
        _readMs[slot] = unixMs;
        _staleMs[slot] = Math.Max(StaleMs, StaleIntervals * intervalMs);
        NewestMs = Math.Max(NewestMs, unixMs);
    }

    /// <summary>A rule had spoken before a restart: the device was sound once.</summary>
    internal bool Resume(string rule, long sinceUnixMs)
    {
        bool isOurs = Rules.Resume(rule, sinceUnixMs);
        _isSettled |= isOurs;
        return isOurs;
    }

    internal void Look(long unixMs, List<Finding> findings)
    {
        _nowMs = unixMs;
        if (!_isSettled)
        {
            // A port without a cable and an image that is mounted read-only have always been so: only what was sound can fail.
            double now = _values[_bornSlot];
            _isSettled = !double.IsNaN(now) && now != _bornValue;
            if (!_isSettled)
            {
                return;
            }
        }

        Rules.Look(this, unixMs, findings);
    }

    /// <summary>A slot's reading, if it is no older than that; otherwise NaN.</summary>
    internal double Fresh(int slot, long nowMs, long mostMs) => slot >= 0 && nowMs - _readMs[slot] <= mostMs ? _values[slot] : double.NaN;

    double IReadings.Of(string metric) => _family.SlotOf(metric) is var slot && slot >= 0 && _nowMs - _readMs[slot] <= _staleMs[slot] ? _values[slot] : double.NaN;
}
