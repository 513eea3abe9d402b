using NodeAgent.Detection.Incidents;

namespace NodeAgent.Aggregator.Detection;

/// <summary>What the incident journal says in the end: each record replaces what was known of its subject, so reading some of them twice changes nothing.</summary>
internal sealed class IncidentReplay
{
    private readonly Dictionary<long, IncidentSnapshot> _incidents = [];
    private readonly Dictionary<long, Silence> _silences = [];
    private readonly Dictionary<string, double> _strictness = new(StringComparer.Ordinal);

    internal IEnumerable<IncidentSnapshot> Incidents => _incidents.Values;

    internal IEnumerable<Silence> Silences => _silences.Values.OrderBy(silence => silence.Id);

    internal IReadOnlyDictionary<string, double> Strictness => _strictness;

    internal long EventsThroughUnixMs { get; private set; }

    internal long NextId { get; private set; } = 1;

    /// <summary>Records that a later version wrote, or that make no sense.</summary>
    internal long Unread { get; private set; }

    internal void Take(byte type, ReadOnlySpan<byte> payload)
    {
        switch ((IncidentRecordKind)type)
        {
            case IncidentRecordKind.Incident when IncidentRecord.Read<IncidentSnapshot>(payload) is { Findings: not null, Active: not null } incident:
                _incidents[incident.Id] = incident;
                NextId = Math.Max(NextId, incident.Id + 1);
                break;
            case IncidentRecordKind.Merged when IncidentRecord.Read<MergedIncident>(payload) is { } merged:
                _incidents.Remove(merged.Id);
                NextId = Math.Max(NextId, merged.Id + 1);
                break;
            case IncidentRecordKind.Silence when IncidentRecord.Read<Silence>(payload) is { } silence:
                _silences[silence.Id] = silence;
                break;
            case IncidentRecordKind.Unsilence when IncidentRecord.Read<EndedSilence>(payload) is { } ended:
                _silences.Remove(ended.Id);
                break;
            case IncidentRecordKind.Strictness when IncidentRecord.Read<CauseStrictness>(payload) is { Cause: not null } judged:
                _strictness[judged.Cause] = judged.Strictness;
                break;
            case IncidentRecordKind.Cursor when IncidentRecord.Read<DetectionCursor>(payload) is { } cursor:
                (EventsThroughUnixMs, NextId) = (Math.Max(EventsThroughUnixMs, cursor.EventsThroughUnixMs), Math.Max(NextId, cursor.NextId));
                break;
            default:
                Unread++;
                break;
        }
    }
}
