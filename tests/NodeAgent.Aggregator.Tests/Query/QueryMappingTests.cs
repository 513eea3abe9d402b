using NodeAgent.Aggregator.Query;
using NodeAgent.Tsdb.Query;
using NodeAgent.V1;
using EngineAggregation = NodeAgent.Tsdb.Query.Aggregation;
using EngineFunction = NodeAgent.Tsdb.Query.WindowFunction;

namespace NodeAgent.Aggregator.Tests.Query;

public sealed class QueryMappingTests
{
    [Fact]
    public void Enums_OfContractAndEngine_HaveTheSameNumbersAndNames()
    {
        Assert.Equal(Pairs<EngineFunction>(), Pairs<V1.WindowFunction>());
        Assert.Equal(Pairs<EngineAggregation>(), Pairs<V1.Aggregation>());
        Assert.Equal(Pairs<Contracts.Metrics.MetricKind>(), Pairs<MetricKind>().Where(pair => !pair.StartsWith("0=", StringComparison.Ordinal)));

        static IEnumerable<string> Pairs<T>()
            where T : struct, Enum => Enum.GetValues<T>().Select(value => $"{Convert.ToInt32(value)}={value.ToString().ToUpperInvariant()}").Order();
    }

    [Fact]
    public void ToPlan_Spec_CarriesEveryField()
    {
        QueryPlan plan = QueryMapping.ToPlan(new QueryInput
        {
            Spec = new QuerySpec
            {
                Selector = "a{x=\"1\"}",
                Function = V1.WindowFunction.Rate,
                WindowMs = 5,
                Aggregation = V1.Aggregation.Quantile,
                By = { "p", "q" },
                Without = { "r" },
                Quantile = 0.25,
                WindowQuantile = 0.75,
            },
        });
        Assert.Equal((EngineFunction.Rate, 5L, EngineAggregation.Quantile, 0.25, 0.75), (plan.Function, plan.WindowMs, plan.Aggregation, plan.Quantile, plan.WindowQuantile));
        Assert.Equal(["p", "q"], plan.By);
        Assert.Equal(["r"], plan.Without);
        Assert.Equal(Selector.Parse("a{x=\"1\"}").ToString(), plan.Selector.ToString());
    }

    [Fact]
    public void ToPlan_NoForm_IsACallersMistake()
    {
        Assert.All([null, new QueryInput()], input => Assert.True(Assert.Throws<QueryException>(() => { QueryMapping.ToPlan(input); }).IsCallersMistake));
        Assert.Equal(long.MaxValue, QueryMapping.ToPlan(new QueryInput { Spec = new QuerySpec { WindowMs = ulong.MaxValue } }).WindowMs);
    }
}
