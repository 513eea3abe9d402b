using NodeAgent.Aggregator.Query;
using NodeAgent.Detection.Forecast;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using MetricKind = NodeAgent.Contracts.Metrics.MetricKind;
using WindowFunction = NodeAgent.Tsdb.Query.WindowFunction;

namespace NodeAgent.Aggregator.Detection;

/// <summary>Forecasts from stored hourly means: the same forecaster as live, fed from the roll-ups.</summary>
internal sealed class StoredForecast(ISeriesReader store, QueryEngine engine)
{
    private const long HourMs = 3_600_000;
    private const long PastMs = 8 * 24 * HourMs; // what the forecaster remembers
    private const int MostSeries = 5_000;
    private const int ForecastPoints = 48;

    // A whole fleet's worth: nobody hears of nine tenths in time.
    private static readonly (string Resource, string Expression, double Limit)[] Resources =
    [
        ("gpu utilisation", "avg(avg_over_time(gpu_utilization_ratio[1h]))", 0.9),
        ("gpu memory used", "avg(avg_over_time(gpu_memory_used_bytes[1h]))", 0.95),
        ("host memory free", "avg(avg_over_time(node_memory_MemAvailable_bytes[1h]))", 0.1),
        ("processors", "avg(rate(node_cpu_seconds_total{mode=\"idle\"}[1h]))", 0.1),
        ("file systems free", "sum(avg_over_time(node_filesystem_avail_bytes[1h]))", 0.1),
    ];

    // What a share is of, where the metric is no share itself.
    private static readonly Dictionary<string, string> Wholes = new(StringComparer.Ordinal)
    {
        ["gpu memory used"] = "avg(gpu_memory_total_bytes)", ["host memory free"] = "avg(node_memory_MemTotal_bytes)", ["file systems free"] = "sum(node_filesystem_size_bytes)",
    };

    internal ForecastResponse Run(ForecastRequest request, long nowMs, string caller, CancellationToken cancellation)
    {
        Selector selector = Selector.Parse(request.Selector);
        SeriesSelection selection = store.Select(selector, nowMs - PastMs, nowMs, MostSeries);
        if (selection.Total > MostSeries)
        {
            throw new QueryException(QueryErrorKind.InvalidArgument, $"{selection.Total} series match; a forecast is made for at most {MostSeries}");
        }

        bool isCounter = selection.Series.Any(series => series.Kind == MetricKind.Counter);
        QueryPlan plan = new(selector) { Function = isCounter ? WindowFunction.Last : WindowFunction.Avg, WindowMs = HourMs };
        double? limit = request.HasLimit ? request.Limit : null;
        long horizon = (long)(request.HorizonMs == 0 ? 7UL * 24 * HourMs : Math.Min(request.HorizonMs, 366UL * 24 * HourMs));
        List<SeriesForecast> all = [];
        long end = nowMs / HourMs * HourMs;
        using RangeExecution execution = engine.Range(plan, end - PastMs, end + HourMs, HourMs, caller, cancellation);
        foreach (RangeSeries series in execution)
        {
            all.Add(Of(series, limit, horizon, nowMs));
        }

        int most = request.Most == 0 ? 20 : (int)Math.Min(request.Most, 1_000);
        ForecastResponse response = new() { Total = (uint)all.Count, WallUnixMs = nowMs };
        response.Series.AddRange(all.OrderBy(one => one.HasCrossesInMs ? one.CrossesInMs : double.PositiveInfinity).ThenBy(one => one.Problem.Length > 0).Take(most));
        return response;
    }

    internal ForecastCapacityResponse Capacity(ForecastCapacityRequest request, long nowMs, string caller, CancellationToken cancellation)
    {
        ForecastCapacityResponse response = new() { WallUnixMs = nowMs };
        long horizon = (long)(request.HorizonMs == 0 ? 30UL * 24 * HourMs : Math.Min(request.HorizonMs, 366UL * 24 * HourMs));
        long end = nowMs / HourMs * HourMs;
        foreach ((string resource, string expression, double share) in Resources)
        {
            double whole = Wholes.TryGetValue(resource, out string? of) ? Newest(of, nowMs, caller, cancellation) : 1;
            using RangeExecution execution = engine.Range(QueryParser.ParseExpression(expression), end - PastMs, end + HourMs, HourMs, caller, cancellation);
            if (!(whole > 0) || execution.FirstOrDefault() is not { } series)
            {
                continue; // this fleet has none of it
            }

            RangeSeries scaled = series with { Unit = "ratio", Values = [.. series.Values.Select(value => value / whole)] };
            SeriesForecast forecast = Of(scaled, share, horizon, nowMs);
            response.Rows.Add(new ForecastCapacityResponse.Types.CapacityRow { Resource = resource, Used = forecast.Last, Limit = share, Forecast = forecast });
        }

        return response;
    }

    private double Newest(string expression, long nowMs, string caller, CancellationToken cancellation) =>
        engine.Instant(QueryParser.ParseExpression(expression), nowMs, caller, cancellation).Results is [{ } newest, ..] ? newest.Value : double.NaN;

    // A limit below the series is crossed on the way down: the same forecaster on the mirror image.
    private static SeriesForecast Of(RangeSeries series, double? limit, long horizonMs, long nowMs)
    {
        int last = Array.FindLastIndex(series.Values, value => !double.IsNaN(value));
        SeriesForecast forecast = new()
        {
            Metric = series.Metric,
            Unit = series.Unit,
            Last = last < 0 ? double.NaN : series.Values[last],
            LastUnixMs = last < 0 ? 0 : Math.Min(series.StartUnixMs + (last * series.StepMs), nowMs),
            PerDay = double.NaN,
            PastStartUnixMs = series.StartUnixMs,
            StepMs = (ulong)series.StepMs,
        };
        QueryMapping.AddLabels(forecast.Labels, series.Labels);
        forecast.Past.AddRange(series.Values);
        double sign = limit is { } line && line < forecast.Last ? -1 : 1;
        GrowthForecaster forecaster = new();
        for (int at = 0; at <= last; at++)
        {
            if (!double.IsNaN(series.Values[at]))
            {
                // A mean at the end of its hour belongs to that hour.
                forecaster.Add(sign * series.Values[at], series.StartUnixMs + (at * series.StepMs) - 1);
            }
        }

        if (forecaster.After(TimeSpan.FromHours(1)) is null)
        {
            forecast.Problem = "less than 28 hours of it are stored: today cannot be compared with yesterday";
            return forecast;
        }

        forecast.AheadStepMs = (ulong)(horizonMs / ForecastPoints);
        forecast.PerDay = sign * (forecaster.PerDay ?? 0);
        if (limit is { } crossed && forecaster.Cross(sign * crossed) is { } crossing && crossing.InMs <= horizonMs)
        {
            (forecast.CrossesInMs, forecast.FromMs, forecast.ToMs) = (crossing.InMs, crossing.FromMs, crossing.ToMs);
        }

        for (int at = 1; at <= ForecastPoints; at++)
        {
            Forecasted value = forecaster.After(TimeSpan.FromMilliseconds(horizonMs / ForecastPoints * (double)at))!.Value;
            forecast.Low.Add(sign > 0 ? value.Low : -value.High);
            forecast.Middle.Add(sign * value.Value);
            forecast.High.Add(sign > 0 ? value.High : -value.Low);
        }

        return forecast;
    }
}
