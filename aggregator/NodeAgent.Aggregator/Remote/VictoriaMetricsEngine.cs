using System.Globalization;
using System.Text.Json;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// VictoriaMetrics by its Prometheus-like API: <c>/api/v1/series</c> and <c>/api/v1/export</c>, which gives samples as they are stored (docs.victoriametrics.com,
/// "How to export data in JSON line format"). Values have 12 significant digits or more there; that is the engine's own rounding.
/// </summary>
internal sealed class VictoriaMetricsEngine(RemoteHttp http, string path) : IRemoteEngine
{
    /// <inheritdoc/>
    public IEnumerable<RemoteName> Match(Selector selector, long fromUnixMs, long toUnixMs)
    {
        foreach (JsonDocument document in http.Ask($"{path}/api/v1/series", Form(selector, fromUnixMs, toUnixMs)))
        {
            foreach (RemoteName name in RemoteHttp.Take(document, root => root.GetProperty("data").EnumerateArray().Select(NameOf)))
            {
                yield return name;
            }
        }
    }

    /// <inheritdoc/>
    public IEnumerable<RemoteSamples> Read(Selector selector, long fromUnixMs, long toUnixMs)
    {
        foreach (JsonDocument document in http.Ask($"{path}/api/v1/export", Form(selector, fromUnixMs, toUnixMs)))
        {
            foreach (RemoteSamples samples in RemoteHttp.Take(document, root => (IEnumerable<RemoteSamples>)[SamplesOf(root)]))
            {
                yield return samples;
            }
        }
    }

    internal static RemoteSamples SamplesOf(JsonElement line)
    {
        long[] times = [.. line.GetProperty("timestamps").EnumerateArray().Select(time => time.GetInt64())];
        double[] values = [.. line.GetProperty("values").EnumerateArray().Select(NumberOf)];
        return times.Length == values.Length
            ? new RemoteSamples(NameOf(line.GetProperty("metric")), times, values)
            : throw new FormatException($"{times.Length} times and {values.Length} values");
    }

    // Values that JSON has no number for come as null or as text.
    private static double NumberOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out double number) => number,
        _ => double.NaN,
    };

    private static RemoteName NameOf(JsonElement labels)
    {
        string metric = "";
        List<Label> found = [];
        foreach (JsonProperty label in labels.EnumerateObject())
        {
            if (label.Name == SeriesInfo.NameLabel)
            {
                metric = label.Value.GetString() ?? "";
            }
            else
            {
                found.Add(new Label(label.Name, label.Value.GetString() ?? ""));
            }
        }

        return new RemoteName(LineNames.MetricOf(metric), [.. found.OrderBy(label => label.Name, StringComparer.Ordinal)]);
    }

    private static KeyValuePair<string, string>[] Form(Selector selector, long fromUnixMs, long toUnixMs) =>
    [
        new("match[]", LineNames.ToEngine(selector).ToString()),
        new("start", Seconds(Math.Max(0, fromUnixMs))),
        new("end", Seconds(Math.Min(toUnixMs, 253_402_300_799_000))), // the year 9999
    ];

    private static string Seconds(long unixMs) => string.Create(CultureInfo.InvariantCulture, $"{unixMs / 1000}.{unixMs % 1000:000}");
}
