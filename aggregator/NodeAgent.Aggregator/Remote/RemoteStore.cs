using System.Net.Http.Headers;
using System.Text;
using NodeAgent.Contracts.Metrics;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Aggregator.Remote;

/// <summary>
/// Another engine as what our query engine reads from, so that expressions mean the same wherever the samples are. A query asks it twice: which
/// series there are, and all of their samples at once. What only the aggregator knows (nodes, schemas) is asked of its own store.
/// </summary>
internal sealed class RemoteStore(IRemoteEngine engine, ISeriesReader own, long maxSamples) : ISeriesReader
{
    private static readonly Dictionary<string, MetricDefinition> Catalogue = MetricCatalog.All.ToDictionary(metric => metric.Name, StringComparer.Ordinal);

    private int _lastId;

    /// <summary>Null and no problem: queries are answered from the own store.</summary>
    internal static RemoteStore? TryMake(RemoteReadSettings settings, HttpClient http, ISeriesReader own, out string problem)
    {
        problem = "";
        if (settings.Kind == RemoteKind.None)
        {
            return null;
        }

        AuthenticationHeaderValue? authorisation = Authorisation(settings, ref problem);
        if (problem.Length > 0)
        {
            return null;
        }

        RemoteHttp asks = new(http, settings.Url!, authorisation);
        IRemoteEngine engine = settings.Kind switch
        {
            RemoteKind.VictoriaMetrics => new VictoriaMetricsEngine(asks, ""),
            RemoteKind.VictoriaMetricsCluster => new VictoriaMetricsEngine(asks, $"/select/{settings.Tenant}/prometheus"),
            _ => new InfluxqlEngine(asks, settings.Database),
        };
        return new RemoteStore(engine, own, settings.MaxSamplesMillions * 1_000_000L);
    }

    /// <inheritdoc/>
    public SeriesSelection Select(Selector selector, long fromUnixMs, long toUnixMs, int limit = int.MaxValue)
    {
        SeriesInfo[] matching = Match(selector, fromUnixMs, toUnixMs);
        Array.Sort(matching, SeriesInfo.Order);
        return new SeriesSelection(limit < matching.Length ? matching[..limit] : matching, matching.Length);
    }

    /// <inheritdoc/>
    public SeriesInfo[] Match(Selector selector, long fromUnixMs, long toUnixMs)
    {
        List<SeriesInfo> found = [];
        foreach (RemoteName name in engine.Match(selector, fromUnixMs, toUnixMs))
        {
            RemoteSeries series = new(Interlocked.Increment(ref _lastId), name.Metric, name.Labels, Catalogue.GetValueOrDefault(name.Metric), selector);
            if (selector.Matches(series))
            {
                found.Add(series);
            }
        }

        return [.. found.DistinctBy(series => series.ToString())];
    }

    /// <inheritdoc/>
    public ISampleReader OpenReader() => new RemoteReader(engine, maxSamples);

    /// <inheritdoc/>
    public IReadOnlyList<string> Nodes() => own.Nodes();

    /// <inheritdoc/>
    public IReadOnlyList<SchemaHandle> Schemas(string node) => own.Schemas(node);

    private static AuthenticationHeaderValue? Authorisation(RemoteReadSettings settings, ref string problem)
    {
        string? path = settings.TokenFile ?? settings.PasswordFile;
        try
        {
            return path is null ? null
                : settings.TokenFile is not null ? new AuthenticationHeaderValue("Token", File.ReadAllText(path).Trim())
                : new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{settings.User}:{File.ReadAllText(path).Trim()}")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem = $"{path}: {e.Message}";
            return null;
        }
    }
}
