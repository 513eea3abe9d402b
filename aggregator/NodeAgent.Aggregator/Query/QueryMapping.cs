using Google.Protobuf.Collections;
using NodeAgent.Tsdb;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using ContractLabel = NodeAgent.Contracts.Series.Label;
using EngineAggregation = NodeAgent.Tsdb.Query.Aggregation;
using EngineCost = NodeAgent.Tsdb.Query.QueryCost;
using EngineFunction = NodeAgent.Tsdb.Query.WindowFunction;

namespace NodeAgent.Aggregator.Query;

/// <summary>Between the contract's query messages and the engine's plain types. Adds no meaning of its own.</summary>
internal static class QueryMapping
{
    /// <exception cref="QueryException">The input has no form, or its expression or selector cannot be parsed.</exception>
    internal static QueryPlan ToPlan(QueryInput? input) => input?.FormCase switch
    {
        QueryInput.FormOneofCase.Expression => QueryParser.ParseExpression(input.Expression),
        QueryInput.FormOneofCase.Spec => ToPlan(input.Spec),
        _ => throw new QueryException(QueryErrorKind.InvalidArgument, "the request has neither an expression nor a spec"),
    };

    internal static Selector ToSelector(string text) => text.Length == 0 ? Selector.All : Selector.Parse(text);

    internal static V1.QueryCost ToWire(EngineCost cost) => new()
    {
        Series = (ulong)cost.Series,
        Samples = (ulong)cost.Samples,
        ElapsedUs = (ulong)cost.Elapsed.TotalMicroseconds,
    };

    internal static QueryResponse ToWire(InstantResult result)
    {
        QueryResponse response = new() { AtUnixMs = result.AtUnixMs, Cost = ToWire(result.Cost) };
        foreach (QueryValue value in result.Results)
        {
            QueryResult item = new() { Metric = value.Metric, Value = value.Value, SampleUnixMs = value.SampleUnixMs, Unit = value.Unit };
            AddLabels(item.Labels, value.Labels);
            response.Results.Add(item);
        }

        return response;
    }

    internal static RangeResponse ToWire(RangeSeries series)
    {
        RangeResponse response = new()
        {
            Metric = series.Metric,
            Unit = series.Unit,
            StartUnixMs = series.StartUnixMs,
            StepMs = (ulong)series.StepMs,
        };
        AddLabels(response.Labels, series.Labels);
        response.Values.AddRange(series.Values);
        return response;
    }

    internal static SeriesEntry ToWire(SeriesInfo series)
    {
        SeriesEntry entry = new() { Metric = series.Metric, Kind = (MetricKind)series.Kind, Unit = series.Unit, Scale = series.Scale };
        AddLabels(entry.Labels, series.Labels);
        return entry;
    }

    internal static void AddLabels(RepeatedField<Label> target, IReadOnlyList<ContractLabel> labels)
    {
        foreach (ContractLabel label in labels)
        {
            target.Add(new Label { Name = label.Name, Value = label.Value });
        }
    }

    private static QueryPlan ToPlan(QuerySpec spec) => new(ToSelector(spec.Selector))
    {
        Function = (EngineFunction)spec.Function,
        WindowMs = (long)Math.Min(spec.WindowMs, long.MaxValue),
        Aggregation = (EngineAggregation)spec.Aggregation,
        By = [.. spec.By],
        Without = [.. spec.Without],
        Quantile = spec.Quantile,
        WindowQuantile = spec.WindowQuantile,
    };
}
