namespace NodeAgent.Tsdb.Query;

/// <summary>Reads selectors and expressions.</summary>
public sealed class QueryParser(string text)
{
    /// <summary>Parses an expression; docs/query.md has the grammar.</summary>
    /// <exception cref="QuerySyntaxException">The text cannot be parsed.</exception>
    public static QueryPlan ParseExpression(string text) => throw new NotImplementedException(text);

    internal Selector ParseSelectorOnly() => throw new NotImplementedException(text);
}
