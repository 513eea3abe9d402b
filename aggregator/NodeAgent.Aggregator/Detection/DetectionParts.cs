using System.Diagnostics.CodeAnalysis;
using NodeAgent.Aggregator.Ingest;
using NodeAgent.Contracts.Xids;
using NodeAgent.Detection.Incidents;
using NodeAgent.Journal;
using NodeAgent.Journal.Files;
using NodeAgent.Placement.Engine;
using NodeAgent.V1;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Detection put together: queue, thread, desk and journal. Composition only.</summary>
internal sealed class DetectionParts : IDisposable
{
    private readonly IngestCore _ingest;
    private readonly DetectionQueue _queue;
    private readonly DetectionLoop _loop;

    private DetectionParts(
        DetectionSettings settings, IngestCore ingest, DetectionQueue queue, DetectionLoop loop, IncidentDesk desk, LiveTopology topology, IncidentMapping mapping, Feedback feedback)
    {
        (Settings, _ingest, _queue, _loop, Desk, Topology, Mapping, Feedback) = (settings, ingest, queue, loop, desk, topology, mapping, feedback);
    }

    internal DetectionSettings Settings { get; }

    internal IncidentDesk Desk { get; }

    internal LiveTopology Topology { get; }

    internal IncidentMapping Mapping { get; }

    internal Feedback Feedback { get; }

    /// <summary>One look at everything that waits, for tests without the thread.</summary>
    internal void Turn() => _loop.Turn();

    /// <summary>Opens the journal and goes on where it ended. Null: it cannot, and the problem says why. Nothing is followed before <see cref="Start"/>.</summary>
    internal static DetectionParts? TryOpen(
        DetectionSettings settings, string stateDirectory, IFileOps files, TimeProvider time, IngestCore ingest, Func<IReadOnlyList<PlacedJob>> jobs, DetectionLog log, out string problem)
    {
        if (!TryReadPolicy(settings.XidPolicyFile, out XidPolicy? policy, out problem))
        {
            return null;
        }

        IncidentReplay replay = new();
        if (!IncidentJournal.TryOpen(IncidentJournal.OptionsIn(stateDirectory), files, time, replay, out IncidentJournal? journal, out OpenError? error))
        {
            problem = error.Message;
            return null;
        }

        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        log.Replayed(replay.Incidents.Count(), replay.Silences.Count(), replay.Unread);
        if (journal.Recovery.LostRecords > 0)
        {
            log.Damaged((long)journal.Recovery.LostRecords, journal.Recovery.TornBytes);
        }

        LiveTopology topology = new() { Jobs = new JobMap(JobMap.PlacesOf(jobs())) };
        IncidentMapping mapping = new(topology, policy);
        Feedback feedback = new();
        IncidentDesk desk = new(journal, replay, topology, mapping, feedback, now);
        DetectionCore core = new(settings, ingest.Fleet, topology, policy, feedback.Of, now);
        DetectionQueue queue = new(settings.QueueBytes, time);
        DetectionLoop loop = new(queue, core, desk, ingest.Events, jobs, time, log);
        return new DetectionParts(settings, ingest, queue, loop, desk, topology, mapping, feedback);
    }

    /// <summary>Follows ingest from here on.</summary>
    /// <param name="withThread">False: a test calls <see cref="Turn"/>.</param>
    internal void Start(bool withThread = true)
    {
        _ingest.Tap.Follower = _queue;
        if (withThread)
        {
            _loop.Start();
        }
    }

    internal GetStatusResponse.Types.DetectionStatus Status() => _loop.Status();

    public void Dispose()
    {
        _ingest.Tap.Follower = null;
        _loop.Dispose();
        Desk.Dispose();
        _queue.Dispose();
    }

    private static bool TryReadPolicy(string? file, [NotNullWhen(true)] out XidPolicy? policy, out string problem)
    {
        (policy, problem) = (XidPolicy.Default, "");
        if (file is null)
        {
            return true;
        }

        try
        {
            policy = XidPolicy.TryParse(File.ReadAllText(file), out problem);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            (policy, problem) = (null, e.Message);
        }

        problem = policy is null ? $"detection.xid_policy_file {file}: {problem}" : "";
        return policy is not null;
    }
}
