using System.Text.Json;
using NodeAgent.Ctl.Text;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Commands;

/// <summary>The fields of a JSON document beside its items.</summary>
internal static class About
{
    /// <summary>The moment that the document describes, by the aggregator's clock.</summary>
    public static Action<Utf8JsonWriter> At(long unixMs) => json => WriteAt(json, unixMs);

    public static Action<Utf8JsonWriter> Result(string expression, long atUnixMs, QueryCost? cost) => json =>
    {
        json.WriteString("expression", expression);
        WriteAt(json, atUnixMs);
        WriteCost(json, cost);
    };

    public static Action<Utf8JsonWriter> Range(string expression, QueryCost? cost) => json =>
    {
        json.WriteString("expression", expression);
        WriteCost(json, cost);
    };

    /// <param name="total">How many match, also when a limit cut the list.</param>
    public static Action<Utf8JsonWriter> Total(ulong total) => json => json.WriteNumber("total", total);

    private static void WriteAt(Utf8JsonWriter json, long unixMs)
    {
        json.WriteString("at", MomentText.Rfc3339(unixMs));
        json.WriteNumber("atUnixMs", unixMs);
    }

    private static void WriteCost(Utf8JsonWriter json, QueryCost? cost)
    {
        if (cost is null) return;
        json.WriteStartObject("cost");
        json.WriteNumber("series", cost.Series);
        json.WriteNumber("samples", cost.Samples);
        json.WriteNumber("elapsedUs", cost.ElapsedUs);
        json.WriteEndObject();
    }
}
