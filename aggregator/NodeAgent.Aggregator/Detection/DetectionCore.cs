using NodeAgent.Aggregator.Fleet;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Contracts.Xids;
using NodeAgent.Detection;
using NodeAgent.Detection.Peers;
using NodeAgent.Detection.Rules;
using NodeAgent.Detection.Watch;
using NodeAgent.Tsdb;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What was left out because detection was behind; each includes the one before.</summary>
internal enum Shedding
{
    None,
    Lanes,
    Peers,
}

/// <summary>
/// From rows and events to findings: states of series, rules of devices, peers of jobs, silence of nodes. Synchronous, reads no clock, belongs
/// to one thread at a time; the same live and over history.
/// </summary>
internal sealed class DetectionCore
{
    // Rows this much older than their schema's newest are a backlog's, or of a clock that was set: order is what the lanes stand on.
    private const long DisorderMs = 0;
    private const long IdlePlanMs = 15 * 60_000;
    private const long IdleDeviceMs = 60 * 60_000;
    private const int MostPlansOfSampler = 3;

    private readonly FleetRegistry? _fleet;
    private readonly LiveTopology _topology;
    private readonly XidPolicy _policy;
    private readonly Func<string, double> _strictness;
    private readonly string _jobLabel;
    private readonly string _domainLabel;
    private readonly SeriesStates _states;
    private readonly Dictionary<SchemaHandle, SchemaPlan> _plans = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<string, WatchedNode> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, WatchedDevice> _silence = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PeerWatch> _peers = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Node, string Device, string Rule), long> _resumed = [];
    private readonly long _startedMs;
    private bool _domainsChanged;

    internal DetectionCore(DetectionSettings settings, FleetRegistry? fleet, LiveTopology topology, XidPolicy policy, Func<string, double> strictness, long startedMs)
    {
        (_fleet, _topology, _policy, _strictness, _startedMs) = (fleet, topology, policy, strictness, startedMs);
        (_jobLabel, _domainLabel) = (settings.JobLabel, settings.DomainLabel);
        WatchOptions options = new() { AlarmsPerSeriesDay = settings.AlarmsPerSeriesDay, LearnFor = (int)settings.LearnFor.TotalSeconds };
        _states = new SeriesStates(new SeriesPages(settings.MaxMemoryBytes, options, strictness));
    }

    internal int Series => _states.Count;

    internal int Unwatched => _states.Unwatched;

    internal long Bytes => _states.Bytes;

    internal long Samples { get; private set; }

    internal long ShedLaneSamples { get; private set; }

    internal long ShedPeerLooks { get; private set; }

    /// <summary>Rules that had spoken before a restart and were not over.</summary>
    internal void Resume(IEnumerable<Finding> active)
    {
        foreach (Finding finding in active)
        {
            _resumed[(finding.Subject.Node, finding.Subject.Device, finding.Cause)] = finding.SinceUnixMs;
        }
    }

    /// <summary>Takes a row of a live stream.</summary>
    internal void Take(DetectionRow row, Shedding shed, long nowMs, List<Finding> findings)
    {
        SchemaPlan plan = PlanOf(row.Schema!, nowMs, findings);
        plan.SeenMs = nowMs;
        if (row.UnixMs <= plan.NewestMs + DisorderMs)
        {
            return;
        }

        long before = plan.NewestMs;
        plan.NewestMs = row.UnixMs;
        int interval = plan.Schema.IntervalMs;
        for (int column = 0; column < row.Columns; column++)
        {
            if (!row.Has(column))
            {
                continue;
            }

            if (shed == Shedding.None && column + 1 < row.Columns)
            {
                _states.Expect(plan.Rows[column + 1], row.UnixMs);
            }

            double value = row.Values[column];
            plan.Devices[column]?.Set(plan.Slots[column], value, row.UnixMs, interval);
            Samples++;
            if (plan.Rows[column].Page >= 0)
            {
                Lane(plan, column, value, row.UnixMs, before, shed, findings);
            }
        }

        foreach (WatchedDevice device in plan.Touched)
        {
            device.Look(row.UnixMs, findings);
        }
    }

    /// <summary>Takes an event.</summary>
    internal void Take(QueuedEvent happened, List<Finding> findings)
    {
        if (EventFindings.Of(happened, _nodes.GetValueOrDefault(happened.Node), _policy) is { } finding)
        {
            findings.Add(finding);
        }
    }

    /// <summary>Once a second: silence, peers; once a minute: what is gone.</summary>
    internal void Tick(long nowMs, Shedding shed, List<Finding> findings)
    {
        Silences(nowMs, findings);
        if (shed >= Shedding.Peers)
        {
            ShedPeerLooks += _peers.Count;
            return;
        }

        foreach (PeerWatch peers in _peers.Values)
        {
            peers.Look(nowMs, findings);
        }
    }

    /// <summary>Follows jobs, labels and lives; every few seconds.</summary>
    /// <param name="jobs">As placement has them; devices with a job label say otherwise for themselves.</param>
    /// <param name="nowMs">The aggregator's time.</param>
    /// <param name="findings">Receives what is over because it is gone.</param>
    internal void Follow(IEnumerable<(string Job, string Node, string Device)> jobs, long nowMs, List<Finding> findings)
    {
        (string Job, string Node, string Device)[] labelled =
            [.. _nodes.Values.SelectMany(node => node.Devices.Where(device => device.Job.Length > 0).Select(device => (device.Job, node.Name, device.Name)))];
        _topology.Jobs = new JobMap(jobs.Concat(labelled));
        if (_domainsChanged)
        {
            _domainsChanged = false;
            _topology.SetDomains(_nodes.Values.Where(node => node.Domain.Length > 0).ToDictionary(node => node.Name, node => node.Domain, StringComparer.Ordinal));
        }

        FollowPeers(nowMs, findings);
        Sweep(nowMs, findings);
    }

    private void Lane(SchemaPlan plan, int column, double value, long unixMs, long before, Shedding shed, List<Finding> findings)
    {
        if (shed >= Shedding.Lanes)
        {
            ShedLaneSamples++;
            plan.Last[column] = double.NaN; // the next difference would be over a time that nobody knows
            return;
        }

        if (plan.IsCounter[column])
        {
            double last = plan.Last[column];
            plan.Last[column] = value;
            if (!(value >= last))
            {
                return; // the first one, or it began again
            }

            value = (value - last) * 1000 / (unixMs - before);
        }

        _states.Sample(plan.Rows[column], value, unixMs, findings);
    }

    private SchemaPlan PlanOf(SchemaHandle schema, long nowMs, List<Finding> findings)
    {
        if (_plans.TryGetValue(schema, out SchemaPlan? plan))
        {
            return plan;
        }

        WatchedNode node = _nodes.TryGetValue(schema.Node, out WatchedNode? known) ? known : _nodes[schema.Node] = new WatchedNode(schema.Node);
        DropOldest(node, schema.Sampler, nowMs, findings);
        plan = new SchemaPlan(schema, node, schema.Series.Count);
        for (int column = 0; column < schema.Series.Count; column++)
        {
            Bind(plan, node, schema.Series[column], column);
        }

        _plans.Add(schema, plan);
        node.Plans.Add(plan);
        return plan;
    }

    private void Bind(SchemaPlan plan, WatchedNode node, SeriesInfo series, int column)
    {
        RuleFamily family = RuleFamily.All.First(family => series.Metric.StartsWith(family.Prefix, StringComparison.Ordinal));
        string device = family.DeviceOf(series);
        plan.Last[column] = double.NaN;
        plan.IsCounter[column] = series.Kind == MetricKind.Counter;
        plan.Rows[column] = _states.Hold(series, new Subject(node.Name, device, series.Metric), plan.Schema.IntervalMs);
        if (family == RuleFamily.Gpu)
        {
            node.LearnNames(series);
        }

        if (_domainLabel.Length > 0 && node.Domain.Length == 0 && series.LabelValue(_domainLabel) is { Length: > 0 } domain)
        {
            node.Domain = domain;
            _domainsChanged = true;
        }

        int slot = family.SlotOf(series);
        if (slot < 0)
        {
            return;
        }

        WatchedDevice watched = node.Find(family, device) ?? Make(node, family, device);
        if (_jobLabel.Length > 0 && series.LabelValue(_jobLabel) is { Length: > 0 } job)
        {
            watched.Job = job;
        }

        (plan.Devices[column], plan.Slots[column]) = (watched, slot);
        if (!plan.Touched.Contains(watched))
        {
            plan.Touched.Add(watched);
        }
    }

    private WatchedDevice Make(WatchedNode node, RuleFamily family, string device)
    {
        var watched = new WatchedDevice(family, node.Name, device, _strictness);
        node.Add(watched);
        Resume(watched, node.Name, family);
        return watched;
    }

    private void Resume(WatchedDevice watched, string node, RuleFamily family)
    {
        foreach (Rule rule in _resumed.Count == 0 ? [] : family.Rules)
        {
            if (_resumed.Remove((node, watched.Name, rule.Id), out long since))
            {
                watched.Resume(rule.Id, since);
            }
        }
    }

    // Silence is measured by the aggregator's own clock, and from its own start on: while it was down nobody could speak.
    private void Silences(long nowMs, List<Finding> findings)
    {
        const long forgottenAfterMs = 7 * 86_400_000L; // who has been silent for a week was taken away
        foreach (FleetNode node in _fleet?.Nodes ?? [])
        {
            if (!_silence.TryGetValue(node.Name, out WatchedDevice? watched))
            {
                _silence.Add(node.Name, watched = new WatchedDevice(RuleFamily.Silence, node.Name, "", static _ => 1));
                Resume(watched, node.Name, RuleFamily.Silence);
            }

            long silentMs = nowMs - Math.Max(node.LastReceivedUnixMs, _startedMs);
            bool isForgotten = nowMs - node.LastReceivedUnixMs > forgottenAfterMs;
            watched.Set(0, isForgotten ? 0 : Math.Max(silentMs, 0) / 1000.0, nowMs, 1000);
            watched.Look(nowMs, findings);
        }
    }

    private void FollowPeers(long nowMs, List<Finding> findings)
    {
        foreach (string ended in _peers.Keys.Where(job => !_topology.Jobs.Jobs.ContainsKey(job)).ToArray())
        {
            _peers.Remove(ended, out PeerWatch? peers);
            peers!.End(nowMs, findings);
        }

        foreach ((string job, List<(string Node, string Device)> places) in _topology.Jobs.Jobs)
        {
            (string Node, WatchedDevice Gpu)[] members =
            [
                .. places.Distinct().Select(place => (place.Node, Gpu: _nodes.GetValueOrDefault(place.Node)?.Find(RuleFamily.Gpu, place.Device))).Where(member => member.Gpu is not null)
                    .Select(member => (member.Node, member.Gpu!)).OrderBy(member => member.Node, StringComparer.Ordinal).ThenBy(member => member.Item2.Name, StringComparer.Ordinal),
            ];
            if (members.Length < PeerWatch.Least || (_peers.TryGetValue(job, out PeerWatch? known) && known.IsOf(members)))
            {
                continue;
            }

            (string expression, int direction) = RuleFamily.PeerMetrics.FirstOrDefault(
                metric => members.All(member => !double.IsNaN(member.Gpu.Fresh(RuleFamily.Gpu.SlotOf(metric.Expression), nowMs, 60_000))));
            if (expression is null)
            {
                continue;
            }

            if (_peers.Remove(job, out PeerWatch? former))
            {
                former.End(nowMs, findings);
            }

            _peers.Add(job, new PeerWatch(members, RuleFamily.Gpu.SlotOf(expression), expression, new PeerOptions { Direction = direction }, _strictness));
        }
    }

    private void Sweep(long nowMs, List<Finding> findings)
    {
        foreach (SchemaPlan plan in _plans.Values.Where(plan => nowMs - plan.SeenMs > Math.Max(IdlePlanMs, 10L * plan.Schema.IntervalMs)).ToArray())
        {
            Drop(plan, nowMs, findings);
        }

        foreach (WatchedNode node in _nodes.Values)
        {
            foreach (WatchedDevice device in node.Devices.Where(device => device.NewestMs > 0 && nowMs - device.NewestMs > IdleDeviceMs).ToArray())
            {
                device.Rules.End(nowMs, findings);
                node.Remove(device);
                foreach (SchemaPlan plan in node.Plans.Where(plan => plan.Touched.Contains(device)).ToArray())
                {
                    Drop(plan, nowMs, findings); // made anew, with a new device, if it speaks again
                }
            }
        }

        EndResumed(nowMs, findings);
    }

    // What a restart left behind and no device has taken up: nobody reads it any more.
    private void EndResumed(long nowMs, List<Finding> findings)
    {
        if (_resumed.Count == 0 || nowMs - _startedMs < IdlePlanMs)
        {
            return;
        }

        foreach (((string node, string device, string rule), long since) in _resumed)
        {
            string metric = RuleCatalogue.Embedded.Find(rule)?.Metric ?? "";
            findings.Add(new Finding(nowMs, since, FindingKind.Rule, rule, new Subject(node, device, metric), double.NaN, double.NaN, 1, "nothing is read here since the aggregator started", Clears: true));
        }

        _resumed.Clear();
    }

    // A sampler whose columns change at every tick (a churn of containers) would keep a plan for each.
    private void DropOldest(WatchedNode node, string sampler, long nowMs, List<Finding> findings)
    {
        SchemaPlan[] others = [.. node.Plans.Where(plan => plan.Schema.Sampler == sampler).OrderBy(plan => plan.SeenMs)];
        foreach (SchemaPlan plan in others.Take(Math.Max(others.Length - MostPlansOfSampler + 1, 0)))
        {
            Drop(plan, nowMs, findings);
        }
    }

    private void Drop(SchemaPlan plan, long nowMs, List<Finding> findings)
    {
        _plans.Remove(plan.Schema);
        plan.Node.Plans.Remove(plan);
        for (int column = 0; column < plan.Rows.Length; column++)
        {
            _states.Release(plan.Schema.Series[column], plan.Rows[column], nowMs, findings);
        }
    }
}
