using NodeAgent.Detection;
using NodeAgent.Detection.Peers;

namespace NodeAgent.Aggregator.Detection;

/// <summary>The GPUs of one job, compared with each other once a second.</summary>
internal sealed class PeerWatch
{
    // A tick of 1 s with a second of disorder between nodes; older readings are no longer of the same instant.
    private const long FreshMs = 5_000;

    private readonly WatchedDevice[] _members;
    private readonly string[] _nodes;
    private readonly double[] _values;
    private readonly bool[] _said;
    private readonly PeerGroup _group;
    private readonly int _slot;
    private readonly string _metric;
    private readonly Func<string, double> _strictness;

    internal PeerWatch(IReadOnlyList<(string Node, WatchedDevice Gpu)> members, int slot, string metric, PeerOptions options, Func<string, double> strictness)
    {
        _members = [.. members.Select(member => member.Gpu)];
        _nodes = [.. members.Select(member => member.Node)];
        _values = new double[_members.Length];
        _said = new bool[_members.Length];
        _group = new PeerGroup(_members.Length, options);
        (_slot, _metric, _strictness) = (slot, metric, strictness);
    }

    /// <summary>Fewer cannot be told apart.</summary>
    internal const int Least = 3;

    internal bool IsOf(IReadOnlyList<(string Node, WatchedDevice Gpu)> members) => _members.AsSpan().SequenceEqual(members.Select(member => member.Gpu).ToArray());

    internal void Look(long nowMs, List<Finding> findings)
    {
        for (int at = 0; at < _members.Length; at++)
        {
            _values[at] = _members[at].Fresh(_slot, nowMs, FreshMs);
        }

        bool off = _group.Update(_values, out PeerVerdict worst) && worst.Score >= new PeerOptions().Threshold * _strictness("straggler");
        for (int at = 0; at < _members.Length; at++)
        {
            if (off && worst.Member == at && !_said[at])
            {
                _said[at] = true;
                findings.Add(new Finding(
                    nowMs, nowMs - (worst.SinceSamples * 1000L), FindingKind.Straggler, "straggler", SubjectOf(at), 0, worst.Off, 0.95,
                    $"{Math.Abs(worst.Off):P1} {(worst.Off < 0 ? "below" : "above")} those that do the same work"));
            }
            else if (_said[at] && !off)
            {
                _said[at] = false;
                findings.Add(Over(at, nowMs, "keeps up again"));
            }
        }
    }

    /// <summary>The job is over, or has other members.</summary>
    internal void End(long nowMs, List<Finding> findings)
    {
        for (int at = 0; at < _members.Length; at++)
        {
            if (_said[at])
            {
                findings.Add(Over(at, nowMs, "its job is over or runs elsewhere"));
            }
        }
    }

    private Finding Over(int at, long nowMs, string text) =>
        new(nowMs, nowMs, FindingKind.Straggler, "straggler", SubjectOf(at), 0, 0, 0.95, text, Clears: true);

    private Subject SubjectOf(int at) => new(_nodes[at], _members[at].Name, _metric);
}
