namespace NodeAgent.Tsdb.Query;

/// <summary>How a matcher compares.</summary>
public enum MatchOperator
{
    /// <summary><c>=</c></summary>
    Equal = 0,

    /// <summary><c>!=</c></summary>
    NotEqual = 1,

    /// <summary><c>=~</c>: the whole value matches the pattern.</summary>
    Matches = 2,

    /// <summary><c>!~</c></summary>
    NotMatches = 3,
}

/// <summary>
/// One condition on a label's value, with Prometheus' meaning: a series without the label has the value "", so
/// <c>{gpu=""}</c> finds series without a gpu and <c>{gpu!="0"}</c> finds them too. The label <c>__name__</c> is the metric.
/// </summary>
public sealed class LabelMatcher
{
    private readonly ValuePattern? _pattern;

    /// <exception cref="QueryException"><see cref="QueryErrorKind.InvalidArgument"/>: the pattern is too long or not a valid one.</exception>
    public LabelMatcher(string name, MatchOperator op, string value)
    {
        Name = name;
        Operator = op;
        Value = value;
        if (op is MatchOperator.Matches or MatchOperator.NotMatches)
        {
            _pattern = ValuePattern.Parse(value);
        }

        MatchesEmpty = Matches("");
    }

    public string Name { get; }

    public MatchOperator Operator { get; }

    public string Value { get; }

    /// <summary>Whether series without the label match.</summary>
    public bool MatchesEmpty { get; }

    /// <summary>The only values that can match, if they can be listed; null otherwise. Never null for <c>=</c>.</summary>
    internal IReadOnlyList<string>? ListedValues => Operator switch
    {
        MatchOperator.Equal => [Value],
        MatchOperator.Matches => _pattern!.Literals,
        _ => null,
    };

    public bool Matches(string value) => Operator switch
    {
        MatchOperator.Equal => value == Value,
        MatchOperator.NotEqual => value != Value,
        MatchOperator.Matches => _pattern!.IsMatch(value),
        _ => !_pattern!.IsMatch(value),
    };

    /// <summary>Canonical text: <c>name=~"pattern"</c>.</summary>
    public override string ToString()
    {
        string op = Operator switch
        {
            MatchOperator.Equal => "=",
            MatchOperator.NotEqual => "!=",
            MatchOperator.Matches => "=~",
            _ => "!~",
        };
        return Name + op + QueryText.Quote(Value);
    }
}
