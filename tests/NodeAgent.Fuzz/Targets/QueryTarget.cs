using System.Text;
using NodeAgent.Fuzz.Engine;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Fuzz.Targets;

/// <summary>Query expressions; QuerySyntaxException is the documented answer to bad text.</summary>
internal sealed class QueryTarget : IFuzzTarget
{
    public string Name => "query";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        "avg_over_time(m{a=\"b\",c!~\"d.*\"}[5m])"u8.ToArray(),
        "topk(3, sum by (gpu) (rate(m{x=~\"[a-z]+\"}[2h30m])))"u8.ToArray(),
        "{a=\"b\"}"u8.ToArray(),
    ];

    public void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            QueryParser.ParseExpression(Encoding.UTF8.GetString(input));
        }
        catch (QuerySyntaxException) // the documented refusal is a pass
        {
        }
    }
}
