using System.Globalization;
using System.Text;
using System.Text.Json;
using NodeAgent.Aggregator.Sinks;
using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// InfluxDB by InfluxQL over <c>/query</c>, in chunks. A metric is a field of a measurement (<see cref="LineLayout.Split"/>), so a selector must fix it.
/// </summary>
internal sealed class InfluxqlEngine(RemoteHttp http, string database) : IRemoteEngine
{
    private const int ChunkRows = 10_000;

    // What InfluxDB's times can hold, in ms: 64 bits of nanoseconds.
    private const long FirstUnixMs = -9_223_372_036_854;
    private const long LastUnixMs = 9_223_372_036_853;

    /// <inheritdoc/>
    public IEnumerable<RemoteName> Match(Selector selector, long fromUnixMs, long toUnixMs)
    {
        string metric = MetricOf(selector);
        return Series(Text(selector, metric, "LAST({0})", fromUnixMs, toUnixMs), series => new RemoteName(metric, LabelsOf(series)));
    }

    /// <inheritdoc/>
    public IEnumerable<RemoteSamples> Read(Selector selector, long fromUnixMs, long toUnixMs)
    {
        string metric = MetricOf(selector);
        return Series(Text(selector, metric, "{0}", fromUnixMs, toUnixMs), series => SamplesOf(metric, series));
    }

    internal static RemoteSamples SamplesOf(string metric, JsonElement series)
    {
        List<long> times = [];
        List<double> values = [];
        foreach (JsonElement row in series.GetProperty("values").EnumerateArray())
        {
            if (row[1].ValueKind == JsonValueKind.Number)
            {
                times.Add(row[0].GetInt64());
                values.Add(row[1].GetDouble());
            }
        }

        return new RemoteSamples(new RemoteName(metric, LabelsOf(series)), [.. times], [.. values]);
    }

    /// <summary>The statement. Conditions that a missing tag may meet are left to the caller, who looks again.</summary>
    internal static string Text(Selector selector, string metric, string what, long fromUnixMs, long toUnixMs)
    {
        (string measurement, string field) = LineLayout.Split(metric);
        StringBuilder text = new("SELECT ");
        text.AppendFormat(CultureInfo.InvariantCulture, what, Identifier(field)).Append(" FROM ").Append(Identifier(measurement));
        text.Append(CultureInfo.InvariantCulture, $" WHERE time >= {Math.Max(fromUnixMs, FirstUnixMs)}ms AND time <= {Math.Min(toUnixMs, LastUnixMs)}ms");
        foreach (LabelMatcher matcher in selector.Matchers.Where(matcher => matcher.Name != SeriesInfo.NameLabel && !matcher.MatchesEmpty))
        {
            if (matcher.Operator == MatchOperator.Equal)
            {
                text.Append(" AND ").Append(Identifier(matcher.Name)).Append(" = ").Append(String(matcher.Value));
            }
        }

        return text.Append(" GROUP BY *").ToString();
    }

    private static string MetricOf(Selector selector) => selector.Metric
        ?? throw new QueryException(QueryErrorKind.InvalidArgument, "queries on InfluxDB must name a metric: its series are fields of measurements");

    private IEnumerable<T> Series<T>(string statement, Func<JsonElement, T> take)
    {
        KeyValuePair<string, string>[] form =
        [
            new("db", database), new("q", statement), new("epoch", "ms"), new("chunked", "true"), new("chunk_size", ChunkRows.ToString(CultureInfo.InvariantCulture)),
        ];
        foreach (JsonDocument document in http.Ask("/query", form))
        {
            foreach (T one in RemoteHttp.Take(document, root => AllSeries(root).Select(take)))
            {
                yield return one;
            }
        }
    }

    internal static IEnumerable<JsonElement> AllSeries(JsonElement answer)
    {
        RefuseError(answer);
        foreach (JsonElement result in answer.GetProperty("results").EnumerateArray())
        {
            RefuseError(result);
            if (result.TryGetProperty("series", out JsonElement all))
            {
                foreach (JsonElement series in all.EnumerateArray())
                {
                    yield return series;
                }
            }
        }
    }

    private static void RefuseError(JsonElement part)
    {
        if (part.TryGetProperty("error", out JsonElement error))
        {
            throw new QueryException(QueryErrorKind.RemoteEngine, $"InfluxDB answers: {error}");
        }
    }

    // A tag that the measurement has and the series has not comes as "".
    private static Label[] LabelsOf(JsonElement series) => series.TryGetProperty("tags", out JsonElement tags)
        ? [.. tags.EnumerateObject().Select(tag => new Label(tag.Name, tag.Value.GetString() ?? "")).Where(label => label.Value.Length > 0).OrderBy(label => label.Name, StringComparer.Ordinal)]
        : [];

    private static string Identifier(string name) => '"' + name.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"';

    private static string String(string value) =>
        '\'' + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + '\'';
}
