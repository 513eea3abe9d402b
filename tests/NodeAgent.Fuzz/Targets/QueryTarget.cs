using System.Text;
using NodeAgent.Fuzz.Engine;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Fuzz.Targets;

/// <summary>Expressions and selectors; a selector's canonical text must give that selector again.</summary>
internal sealed class QueryTarget : IFuzzTarget
{
    public string Name => "query";

    public IReadOnlyList<byte[]> Seeds { get; } =
    [
        "avg_over_time(m{a=\"b\",c!~\"d.*\"}[5m])"u8.ToArray(),
        "topk(3, sum by (gpu) (rate(m{x=~\"[a-z]+\"}[2h30m])))"u8.ToArray(),
        "quantile(0.9, m) without (node)"u8.ToArray(),
        "{a=\"b\",__name__!=\"c\\n\\\\\\\"\"}"u8.ToArray(),
    ];

    public IReadOnlyList<byte[]> Dictionary { get; } =
    [
        .. "sum avg quantile topk bottomk rate( increase( by without offset @ __name__ =~\" !~\" {} [1y] 1e308 NaN \\u00 (?:(((a+)+)+) \\x"
            .Split(' ').Select(Encoding.UTF8.GetBytes),
    ];

    public IReadOnlyList<Type> Covers { get; } = [typeof(QueryParser)];

    public void Run(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        if (Parsed(text, QueryParser.ParseExpression) is { } plan)
        {
            CheckRoundTrip(plan.Selector);
        }

        if (Parsed(text, QueryParser.ParseSelector) is { } selector)
        {
            CheckRoundTrip(selector);
        }
    }

    private static void CheckRoundTrip(Selector selector)
    {
        string canonical = selector.ToString();
        if (canonical.Length <= QueryLexer.MaxLength) // escapes may make the canonical text longer than what may be asked
        {
            Selector again = Selector.Parse(canonical);
            Invariant.Holds(again.ToString() == canonical, $"{canonical} parses back to itself");
            Invariant.Holds(Conditions(again).SequenceEqual(Conditions(selector)), $"{canonical} means the same");
        }
    }

    private static IEnumerable<string> Conditions(Selector selector) =>
        selector.Matchers.Select(m => $"{m.Name} {m.Operator} {m.Value}").Distinct().Order(StringComparer.Ordinal);

    private static T? Parsed<T>(string text, Func<string, T> parse)
        where T : class
    {
        try
        {
            return parse(text);
        }
        catch (QuerySyntaxException e)
        {
            Invariant.Holds(e.Position >= 0 && e.Position <= text.Length, "the caret stands under the text or right behind it");
            return null;
        }
    }
}
