using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using NodeAgent.Placement.Engine;
using NodeAgent.Placement.Fleet;

namespace NodeAgent.Aggregator.Placement;

/// <summary>Kinds of record in the placement journal (docs/formats/placement-journal.md). Numbers are on disk: they never change.</summary>
internal enum PlacementRecordKind : byte
{
    Begin = 1,
    Nodes = 2,
    Call = 3,
    Outcome = 4,
    Open = 5,
    Cordon = 6,
}

/// <summary>A chapter begins: a new engine, from here on.</summary>
/// <param name="Chapter">Grows by one.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why, for people.</param>
/// <param name="Nodes">How many nodes follow.</param>
/// <param name="Adopts">How many jobs follow.</param>
/// <param name="Options">How the engine decides.</param>
/// <param name="Cordoned">Nodes that an operator keeps free of new work.</param>
internal sealed record ChapterBegin(long Chapter, DateTimeOffset At, string Reason, int Nodes, int Adopts, EngineOptions Options, IReadOnlyList<string> Cordoned);

/// <summary>Some of the nodes of a chapter, in order.</summary>
internal sealed record ChapterNodes(IReadOnlyList<NodeSpec> Nodes);

/// <summary>The chapter is whole: it counts from here on, and all before it may go.</summary>
internal sealed record ChapterOpen(long Chapter);

/// <summary>What a call came to: the truth about the jobs it touched, whatever a later version of the engine would decide.</summary>
/// <param name="Jobs">As they are now.</param>
/// <param name="Gone">That hold nothing any more.</param>
internal sealed record CallOutcome(IReadOnlyList<PlacedJob> Jobs, IReadOnlyList<string> Gone)
{
    internal bool IsEmpty => Jobs.Count == 0 && Gone.Count == 0;
}

/// <summary>An operator's word on a node.</summary>
internal sealed record CordonChange(string Node, bool Cordoned);

/// <summary>
/// Records as bytes: a version, then JSON. Decisions are few (a thousand a second would be many), and a log of decisions is read by
/// people who ask why.
/// </summary>
internal static class PlacementRecord
{
    private const byte Version = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { NameCalls } },
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

    // The names are on disk. The library's types know nothing of JSON.
    private static void NameCalls(JsonTypeInfo type)
    {
        if (type.Type != typeof(EngineCall))
        {
            return;
        }

        type.PolymorphismOptions = new JsonPolymorphismOptions { TypeDiscriminatorPropertyName = "Call" };
        foreach ((Type call, string name) in new[]
        {
            (typeof(EngineCall.Place), "place"), (typeof(EngineCall.Commit), "commit"), (typeof(EngineCall.Release), "release"),
            (typeof(EngineCall.Condition), "condition"), (typeof(EngineCall.Apply), "apply"), (typeof(EngineCall.Adopt), "adopt"), (typeof(EngineCall.Refused), "refused"),
        })
        {
            type.PolymorphismOptions.DerivedTypes.Add(new JsonDerivedType(call, name));
        }
    }
}
