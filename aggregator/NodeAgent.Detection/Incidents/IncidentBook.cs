namespace NodeAgent.Detection.Incidents;

/// <summary>
/// Makes incidents of findings. A finding joins the incident that it repeats, is explained by, or explains (a late cause joins its effects,
/// and two incidents that turn out to have one cause become one); otherwise, if it is sure enough, it opens one. Deterministic and pure: time
/// comes with findings and with <see cref="Advance"/>.
/// </summary>
public sealed partial class IncidentBook(ITopology topology, IncidentOptions? options = null)
{
    private readonly IncidentOptions _options = options ?? new IncidentOptions();
    private readonly SortedDictionary<long, Incident> _live = [];
    private readonly Dictionary<string, HashSet<Incident>> _byNode = new(StringComparer.Ordinal);
    private readonly LinkedList<Incident> _resolved = [];
    private readonly List<Silence> _silences = [];
    private readonly Dictionary<string, List<Finding>> _unsure = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, long>> _cutOff = new(StringComparer.Ordinal);
    private readonly HashSet<long> _touched = [];
    private readonly Queue<long> _oddOpened = new();
    private long _nextId = 1;
    private long _nextSilence = 1;

    /// <summary>Those not resolved, oldest first.</summary>
    public IEnumerable<Incident> Live => _live.Values;

    /// <summary>The last ones resolved, newest first.</summary>
    public IEnumerable<Incident> Resolved => _resolved;

    /// <summary>Findings that repeated what an incident already said: what people did not have to read.</summary>
    public long Suppressed { get; private set; }

    /// <summary>Unsure findings that joined nothing and opened nothing.</summary>
    public long SetAside { get; private set; }

    /// <summary>Takes a finding in.</summary>
    public void Offer(Finding finding, ICollection<IncidentChange> changes)
    {
        Infer(finding, changes);
        Take(finding, changes);
    }

    /// <summary>Time goes on: what has been quiet for long enough is resolved.</summary>
    public void Advance(long unixMs, ICollection<IncidentChange> changes)
    {
        if (_silences.RemoveAll(silence => silence.UntilUnixMs <= unixMs) > 0)
        {
            EndSilences(unixMs, changes);
        }

        Agree(unixMs, changes);
        foreach (Incident incident in _live.Values.ToArray())
        {
            if (incident.Forget(finding => IsMomentary(finding) && unixMs - finding.UnixMs > _options.ResolveAfter.TotalMilliseconds / 2))
            {
                _touched.Add(incident.Id);
            }

            if (incident.Holds)
            {
                incident.QuietSinceUnixMs = 0;
                continue;
            }

            if (incident.QuietSinceUnixMs == 0)
            {
                incident.QuietSinceUnixMs = unixMs;
                _touched.Add(incident.Id);
            }

            if (unixMs - incident.QuietSinceUnixMs >= _options.ResolveAfter.TotalMilliseconds)
            {
                Resolve(incident, unixMs, changes);
            }
        }
    }

    /// <summary>Somebody knows. False: no such incident is live.</summary>
    public bool Acknowledge(long id, string by, long unixMs, ICollection<IncidentChange> changes)
    {
        if (!_live.TryGetValue(id, out Incident? incident))
        {
            return false;
        }

        (incident.State, incident.AcknowledgedBy) = (IncidentState.Acknowledged, by);
        _touched.Add(id);
        changes.Add(new IncidentChange(unixMs, IncidentChangeKind.Acknowledged, id, 0, by));
        return true;
    }

    /// <summary>Silences what matches until the silence ends. False: it has no reason or no end ahead.</summary>
    public bool Quieten(Silence silence, long unixMs, ICollection<IncidentChange> changes)
    {
        if (string.IsNullOrWhiteSpace(silence.Reason) || silence.UntilUnixMs <= unixMs)
        {
            return false;
        }

        silence = silence.Id > 0 ? silence : silence with { Id = _nextSilence };
        _nextSilence = Math.Max(_nextSilence, silence.Id) + 1;
        _silences.Add(silence);
        foreach (Incident incident in _live.Values.Where(incident => incident.State == IncidentState.Open && incident.Findings.All(finding => silence.Covers(finding, unixMs))))
        {
            incident.State = IncidentState.Silenced;
            _touched.Add(incident.Id);
            changes.Add(new IncidentChange(unixMs, IncidentChangeKind.Silenced, incident.Id, 0, silence.Reason));
        }

        return true;
    }

    /// <summary>A live or lately resolved incident; null for none.</summary>
    public Incident? Find(long id) => _live.GetValueOrDefault(id) ?? _resolved.FirstOrDefault(incident => incident.Id == id);

    private void Take(Finding finding, ICollection<IncidentChange> changes)
    {
        Incident[] homes = [.. Near(finding).Where(incident => Belongs(incident, finding)).OrderBy(incident => incident.Id)];
        if (homes.Length == 0)
        {
            if (!finding.Clears)
            {
                Begin(finding, changes);
            }

            return;
        }

        Incident home = homes[0];
        foreach (Incident other in finding.Clears ? [] : homes[1..])
        {
            home.Absorb(other, topology);
            Remove(other);
            Index(home);
            _touched.Add(other.Id);
            _touched.Add(home.Id);
            changes.Add(new IncidentChange(finding.UnixMs, IncidentChangeKind.Merged, other.Id, home.Id, finding.Text));
        }

        Join(home, finding, changes);
    }

    private void Join(Incident home, Finding finding, ICollection<IncidentChange> changes)
    {
        int before = home.Findings.Count;
        string leading = home.Causes.Count > 0 ? home.Causes[0].Cause.Cause : "";
        bool held = home.Has(finding);
        home.Join(finding, topology);
        if (held == finding.Clears)
        {
            _touched.Add(home.Id);
        }

        if (home.Findings.Count == before)
        {
            Suppressed += finding.Clears ? 0 : 1;
            return;
        }

        Index(home);
        changes.Add(new IncidentChange(finding.UnixMs, IncidentChangeKind.Grew, home.Id, 0, finding.Text));
        if (home.Causes[0].Cause.Cause != leading)
        {
            changes.Add(new IncidentChange(finding.UnixMs, IncidentChangeKind.CauseChanged, home.Id, 0, home.Causes[0].Cause.Text));
        }
    }

    private void Begin(Finding finding, ICollection<IncidentChange> changes)
    {
        if (Reopened(finding, changes))
        {
            return;
        }

        if (finding.Sureness >= _options.OpensAt)
        {
            Open([finding], finding.UnixMs, changes);
            return;
        }

        if (!_unsure.TryGetValue(finding.Subject.Node, out List<Finding>? waiting))
        {
            _unsure.Add(finding.Subject.Node, waiting = []);
        }

        if (!waiting.Exists(other => other.Subject == finding.Subject && other.Cause == finding.Cause))
        {
            waiting.Add(finding);
        }
    }

    private void Open(List<Finding> together, long unixMs, ICollection<IncidentChange> changes)
    {
        var incident = new Incident(_nextId++, together[0]);
        foreach (Finding one in together)
        {
            incident.Join(one, topology);
        }

        incident.State = together.TrueForAll(one => _silences.Exists(silence => silence.Covers(one, unixMs))) ? IncidentState.Silenced : IncidentState.Open;
        _live.Add(incident.Id, incident);
        _touched.Add(incident.Id);
        Index(incident);
        changes.Add(new IncidentChange(unixMs, IncidentChangeKind.Opened, incident.Id, 0, $"{together[0].Subject}: {together[0].Text}"));
    }

    // One metric off is chance somewhere in a fleet all the time; several of one node at once are not, unless the whole job does the same:
    // then it is a phase of the job. So unsure findings wait a few seconds for company of both kinds.
    private void Agree(long unixMs, ICollection<IncidentChange> changes)
    {
        if (_unsure.Count == 0)
        {
            return;
        }

        var nodesOfPhase = new Dictionary<(string Job, string Metric), HashSet<string>>();
        foreach (Finding finding in _unsure.Values.SelectMany(waiting => waiting))
        {
            if (topology.JobOf(finding.Subject.Node, finding.Subject.Device) is { Length: > 0 } job)
            {
                (nodesOfPhase.TryGetValue((job, finding.Subject.Metric), out HashSet<string>? nodes) ? nodes : nodesOfPhase[(job, finding.Subject.Metric)] = new HashSet<string>(StringComparer.Ordinal)).Add(finding.Subject.Node);
            }
        }

        // With hundreds of metrics a node, a phase of its job shows in dozens, and in each node in others: then the nodes say it, not a metric.
        var oddNodes = _unsure.Where(pair => pair.Value.Select(finding => finding.Subject.Metric).Distinct(StringComparer.Ordinal).Count() > 1)
            .GroupBy(pair => topology.JobOf(pair.Key, "")).ToDictionary(group => group.Key, group => group.Count(), StringComparer.Ordinal);
        foreach ((string node, List<Finding> waiting) in _unsure.ToArray())
        {
            Finding[] own = [.. waiting.Where(finding => unixMs - finding.UnixMs >= _options.WaitForCompany.TotalMilliseconds && !IsPhase(finding))];
            if (own.Select(finding => finding.Subject.Metric).Distinct(StringComparer.Ordinal).Count() >= _options.AgreeingMetrics)
            {
                _unsure.Remove(node);
                OpenOdd(own, unixMs, changes);
                continue;
            }

            SetAside += waiting.RemoveAll(finding => unixMs - finding.UnixMs > _options.AgreeWithin.TotalMilliseconds);
            if (waiting.Count == 0)
            {
                _unsure.Remove(node);
            }
        }

        bool IsPhase(Finding finding) =>
            topology.JobOf(finding.Subject.Node, finding.Subject.Device) is { Length: > 0 } job
            && (oddNodes.GetValueOrDefault(job) >= _options.PhaseNodes
                || (nodesOfPhase.TryGetValue((job, finding.Subject.Metric), out HashSet<string>? nodes) && nodes.Count >= _options.PhaseNodes));
    }

    // Oddities have a budget of the whole fleet: a chance that is small for each of a million series is certain for all of them together. What
    // is over it waits for something surer to join, and is counted.
    private void OpenOdd(Finding[] own, long unixMs, ICollection<IncidentChange> changes)
    {
        while (_oddOpened.TryPeek(out long then) && unixMs - then > TimeSpan.FromDays(1).TotalMilliseconds)
        {
            _oddOpened.Dequeue();
        }

        if (_oddOpened.Count >= _options.OddPerDay)
        {
            SetAside += own.Length;
            return;
        }

        _oddOpened.Enqueue(unixMs);
        Open([.. own], unixMs, changes);
    }

    private bool Reopened(Finding finding, ICollection<IncidentChange> changes)
    {
        foreach (Incident past in _resolved)
        {
            if (finding.UnixMs - past.ResolvedUnixMs > _options.ReopenWithin.TotalMilliseconds)
            {
                return false;
            }

            if (past.Findings.Any(other => other.Subject == finding.Subject && other.Cause == finding.Cause))
            {
                _resolved.Remove(past);
                (past.State, past.ResolvedUnixMs, past.QuietSinceUnixMs) = (past.AcknowledgedBy.Length > 0 ? IncidentState.Acknowledged : IncidentState.Open, 0, 0);
                past.Flaps++;
                past.Join(finding, topology);
                _live.Add(past.Id, past);
                _touched.Add(past.Id);
                Index(past);
                changes.Add(new IncidentChange(finding.UnixMs, IncidentChangeKind.Reopened, past.Id, 0, finding.Text));
                return true;
            }
        }

        return false;
    }

    // When several nodes of one domain fall silent together, the domain did; nothing else can say so, for what failed does not report.
    private void Infer(Finding finding, ICollection<IncidentChange> changes)
    {
        string domain = topology.DomainOf(finding.Subject.Node);
        if (domain.Length == 0 || CauseMap.ClassOf(finding.Cause) is not ("silent" or "network-down" or "power-brake"))
        {
            return;
        }

        if (!_cutOff.TryGetValue(domain, out Dictionary<string, long>? nodes))
        {
            _cutOff.Add(domain, nodes = new Dictionary<string, long>(StringComparer.Ordinal));
        }

        if (finding.Clears)
        {
            nodes.Remove(finding.Subject.Node);
            if (nodes.Count == 0)
            {
                Take(Inferred(domain, finding, 0) with { Clears = true }, changes);
            }

            return;
        }

        nodes[finding.Subject.Node] = finding.UnixMs;
        int recent = nodes.Values.Count(then => finding.UnixMs - then <= 120_000);
        if (recent >= Math.Min(_options.DomainNodes, Math.Max(topology.NodesIn(domain), 2)))
        {
            Take(Inferred(domain, finding, recent), changes);
        }
    }

    // Said about the first of its nodes by name, so that saying it again is a repetition.
    private Finding Inferred(string domain, Finding finding, int nodes)
    {
        string spokesman = _cutOff[domain].Keys.Append(finding.Subject.Node).Min(StringComparer.Ordinal)!;
        return new Finding(finding.UnixMs, finding.SinceUnixMs, FindingKind.Rule, "domain-down", new Subject(spokesman, domain), 0, nodes, 0.95, $"{nodes} nodes of {domain} are cut off together");
    }

    private bool Belongs(Incident incident, Finding finding)
    {
        if (incident.Has(finding))
        {
            return true;
        }

        return !finding.Clears && finding.UnixMs - incident.LastUnixMs <= _options.JoinWithin.TotalMilliseconds
            && incident.Findings.Any(other => CauseMap.Repeats(other, finding) || CauseMap.Explains(other, finding, topology) || CauseMap.Explains(finding, other, topology));
    }

    // Same node, or by way of a shared job or domain; incidents are indexed by all three.
    private HashSet<Incident> Near(Finding finding)
    {
        var near = new HashSet<Incident>();
        foreach (string key in KeysOf(finding.Subject))
        {
            if (_byNode.TryGetValue(key, out HashSet<Incident>? incidents))
            {
                near.UnionWith(incidents);
            }
        }

        return near;
    }

    private IEnumerable<string> KeysOf(Subject subject)
    {
        yield return "node:" + subject.Node;
        if (topology.JobOf(subject.Node, subject.Device) is { Length: > 0 } job)
        {
            yield return "job:" + job;
        }

        if (topology.DomainOf(subject.Node) is { Length: > 0 } domain)
        {
            yield return "domain:" + domain;
        }
    }

    private void Index(Incident incident)
    {
        foreach (string key in incident.Findings.SelectMany(finding => KeysOf(finding.Subject)))
        {
            if (!_byNode.TryGetValue(key, out HashSet<Incident>? incidents))
            {
                _byNode.Add(key, incidents = []);
            }

            incidents.Add(incident);
        }
    }

    private void Remove(Incident incident)
    {
        _live.Remove(incident.Id);
        foreach ((string key, HashSet<Incident> incidents) in _byNode)
        {
            if (incidents.Remove(incident) && incidents.Count == 0)
            {
                _byNode.Remove(key);
            }
        }
    }

    private void Resolve(Incident incident, long unixMs, ICollection<IncidentChange> changes)
    {
        Remove(incident);
        _touched.Add(incident.Id);
        (incident.State, incident.ResolvedUnixMs) = (IncidentState.Resolved, unixMs);
        _resolved.AddFirst(incident);
        if (_resolved.Count > _options.KeptResolved)
        {
            _resolved.RemoveLast();
        }

        changes.Add(new IncidentChange(unixMs, IncidentChangeKind.Resolved, incident.Id, 0, "nothing holds any more"));
    }

    // Events and oddities have no end that anybody reports.
    private static bool IsMomentary(Finding finding) =>
        finding.Kind is FindingKind.Novelty or FindingKind.Residual or FindingKind.Event || finding.Cause.StartsWith(Rules.XidRule.Prefix, StringComparison.Ordinal);
}
