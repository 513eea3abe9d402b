using System.Text.Json;
using System.Text.Json.Serialization;
using NodeAgent.Detection.Incidents;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Kinds of record in the incident journal (docs/formats/incident-journal.md). Numbers are on disk: they never change.</summary>
internal enum IncidentRecordKind : byte
{
    Incident = 1,
    Merged = 2,
    Silence = 3,
    Unsilence = 4,
    Strictness = 5,
    Cursor = 6,
}

/// <summary>An incident became part of another and is no more.</summary>
internal sealed record MergedIncident(long Id);

/// <summary>A silence ended.</summary>
internal sealed record EndedSilence(long Id);

/// <summary>What people's verdicts have made of a cause's threshold.</summary>
internal sealed record CauseStrictness(string Cause, double Strictness);

/// <summary>How far events were looked at, by the aggregator's time of receipt; and the number of the next incident.</summary>
internal sealed record DetectionCursor(long EventsThroughUnixMs, long NextId);

/// <summary>Records as bytes: a version, then JSON. Incidents are few, and people will read their journal.</summary>
internal static class IncidentRecord
{
    private const byte Version = 1;

    // A finding without a number has NaN there, which JSON proper has not.
    private static readonly JsonSerializerOptions Json = new()
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter() },
    };

    internal static byte[] Write<T>(T record) => [Version, .. JsonSerializer.SerializeToUtf8Bytes(record, Json)];

    /// <summary>Null: a later version wrote it, or damage that no checksum saw.</summary>
    internal static T? Read<T>(ReadOnlySpan<byte> payload)
        where T : class
    {
        if (payload is not [Version, ..])
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<T>(payload[1..], Json);
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            // Counted by the caller, as every record that says nothing to us.
            return null;
        }
    }
}
