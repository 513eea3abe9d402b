using System.Globalization;

namespace NodeAgent.Tsdb.Query;

/// <summary>
/// Reads selectors and expressions by recursive descent, one method per rule of the grammar in docs/query.md. What PromQL knows and
/// we do not is recognised and named, so that nobody has to guess why a query was refused.
/// </summary>
public sealed class QueryParser
{
    private readonly string _text;
    private readonly QueryLexer _lexer;
    private QueryToken _token;

    private QueryParser(string text)
    {
        _text = text;
        _lexer = new QueryLexer(text);
        if (text.Length > QueryLexer.MaxLength)
        {
            throw new QuerySyntaxException(text, QueryLexer.MaxLength, $"The text is longer than {QueryLexer.MaxLength} characters");
        }

        _token = _lexer.Next();
    }

    /// <summary>Parses an expression; docs/query.md has the grammar.</summary>
    /// <exception cref="QuerySyntaxException">The text cannot be parsed; the message says where and why.</exception>
    public static QueryPlan ParseExpression(string text)
    {
        QueryParser parser = new(text);
        QueryPlan plan = parser.Ranked();
        parser.ExpectEnd();
        return plan;
    }

    /// <summary>Parses a selector.</summary>
    /// <exception cref="QuerySyntaxException">The text cannot be parsed; the message says where and why.</exception>
    public static Selector ParseSelector(string text)
    {
        QueryParser parser = new(text);
        Selector selector = parser.SelectorRule(parser.IsCall() ? null : "a selector");
        parser.ExpectEnd();
        return selector;
    }

    private QueryPlan Ranked()
    {
        QueryToken name = _token;
        if (!IsCall() || !QueryWords.Rankings.TryGetValue(name.Text, out Ranking ranking))
        {
            return Aggregated();
        }

        Advance();
        if (_token.Kind == TokenKind.Name)
        {
            throw Error(_token, $"{name.Text} ranks all results and takes no {_token.Text}");
        }

        Expect("(", "after " + name.Text);
        int k = RankSize(name.Text);
        Expect(",", $"between the number and the query of {name.Text}");
        QueryPlan plan = Aggregated();
        Expect(")", $"at the end of {name.Text}");
        return plan with { Ranking = ranking, K = k };
    }

    private int RankSize(string name)
    {
        QueryToken number = _token;
        if (number.Kind != TokenKind.Number
            || !int.TryParse(number.Text, NumberStyles.None, CultureInfo.InvariantCulture, out int k)
            || k is < 1 or > QueryPlan.MaxK)
        {
            throw Unexpected($"the number of results that {name} keeps (1 to {QueryPlan.MaxK})");
        }

        Advance();
        return k;
    }

    private QueryPlan Aggregated()
    {
        QueryToken name = _token;
        if (!IsCall() || !QueryWords.Aggregations.TryGetValue(name.Text, out Aggregation aggregation))
        {
            return Windowed();
        }

        Advance();
        Grouping before = GroupingRule();
        Expect("(", "after " + name.Text);
        double quantile = aggregation == Aggregation.Quantile ? QuantileArgument(name.Text) : 0;
        QueryPlan plan = Windowed();
        Expect(")", $"at the end of {name.Text}");
        QueryToken second = _token;
        Grouping after = GroupingRule();
        if (before.IsGiven && after.IsGiven)
        {
            throw Error(second, $"{name.Text} has a {(before.IsWithout ? "without" : "by")} already");
        }

        Grouping grouping = before.IsGiven ? before : after;
        return plan with
        {
            Aggregation = aggregation,
            Quantile = quantile,
            By = grouping.IsWithout ? [] : grouping.Labels ?? [],
            Without = grouping.IsWithout ? grouping.Labels ?? [] : [],
        };
    }

    private QueryPlan Windowed()
    {
        QueryToken name = _token;
        if (!IsCall())
        {
            Selector bare = SelectorRule("a selector");
            return _token.Is("[")
                ? throw Error(_token, $"A window needs a function around it, such as avg_over_time({bare}[5m])")
                : new QueryPlan(bare);
        }

        if (!QueryWords.Functions.TryGetValue(name.Text, out WindowFunction function))
        {
            throw MisplacedCall(name);
        }

        Advance();
        Expect("(", "after " + name.Text);
        double quantile = function == WindowFunction.Quantile ? QuantileArgument(name.Text) : 0;
        Selector selector = SelectorRule(IsCall() ? null : "a selector");
        long windowMs = _token.Is("[") ? Window() : 0;
        Expect(")", $"at the end of {name.Text}");
        return new QueryPlan(selector) { Function = function, WindowMs = windowMs, WindowQuantile = quantile };
    }

    private QuerySyntaxException MisplacedCall(QueryToken name)
    {
        if (QueryWords.Rankings.ContainsKey(name.Text))
        {
            return Error(name, $"{name.Text} must stand outermost");
        }

        if (QueryWords.Aggregations.ContainsKey(name.Text))
        {
            return Error(name, $"An aggregation such as {name.Text} goes around at most one function of a selector; it cannot stand here");
        }

        if (QueryWords.Functions.ContainsKey(name.Text))
        {
            return Error(name, $"{name.Text} applies to a selector and cannot stand inside another function");
        }

        string known = QueryWords.Nearest(name.Text) is { } nearest
            ? $"did you mean {nearest}?"
            : $"known are {string.Join(", ", QueryWords.Rankings.Keys.Concat(QueryWords.Aggregations.Keys).Concat(QueryWords.Functions.Keys))}";
        return Error(name, $"There is no function {QueryText.Quote(name.Text)}; {known}");
    }

    private double QuantileArgument(string name)
    {
        QueryToken number = _token;
        if (number.Kind != TokenKind.Number
            || !double.TryParse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out double quantile)
            || quantile is not (>= 0 and <= 1))
        {
            throw Unexpected($"the quantile of {name} (0 to 1)");
        }

        Advance();
        Expect(",", $"between the number and the query of {name}");
        return quantile;
    }

    private Grouping GroupingRule()
    {
        if (_token.Kind != TokenKind.Name || !QueryWords.IsGrouping(_token.Text))
        {
            return default;
        }

        QueryToken keyword = _token;
        Advance();
        Expect("(", "after " + keyword.Text);
        List<string> labels = [];
        while (!_token.Is(")"))
        {
            labels.Add(LabelName($"a label name or {QueryText.Quote(")")}"));
            if (!_token.Is(","))
            {
                break;
            }

            Advance();
        }

        Expect(")", $"at the end of {keyword.Text}");
        bool isWithout = keyword.Text == "without";
        return isWithout && labels.Count == 0
            ? throw Error(keyword, "without needs at least one label")
            : new Grouping(true, isWithout, labels);
    }

    private long Window()
    {
        Expect("[", "");
        QueryToken length = _token;
        if (length.Kind is not (TokenKind.Duration or TokenKind.Number) || !QueryDuration.TryParse(length.Text, out long ms))
        {
            throw Unexpected("a duration such as 30s, 5m or 2h30m");
        }

        if (ms == 0)
        {
            throw Error(length, "A window must be longer than zero");
        }

        Advance();
        if (_token.Kind == TokenKind.Name && _token.Text[0] == ':')
        {
            throw Error(_token, "Sub-queries ([range:step]) are not supported");
        }

        Expect("]", "at the end of the window");
        return ms;
    }

    /// <param name="expected">How to call it where it is missing; null: a call stands here, which gets a message of its own.</param>
    private Selector SelectorRule(string? expected)
    {
        if (expected is null)
        {
            throw MisplacedCall(_token);
        }

        QueryToken start = _token;
        List<LabelMatcher> matchers = [];
        if (start.Kind == TokenKind.Name)
        {
            matchers.Add(new LabelMatcher(SeriesInfo.NameLabel, MatchOperator.Equal, start.Text));
            Advance();
        }
        else if (!start.Is("{"))
        {
            throw start.Kind == TokenKind.Number
                ? Error(start, $"Numbers cannot be computed with; a query starts with a metric, a function or an aggregation, not with {start.Shown}")
                : Unsupported() ?? Unexpected(expected);
        }

        if (_token.Is("{"))
        {
            Matchers(matchers);
        }

        return matchers.Exists(matcher => !matcher.MatchesEmpty)
            ? new Selector(matchers)
            : throw Error(start, "This would match every series; name a metric or a label that must have a value");
    }

    private void Matchers(List<LabelMatcher> matchers)
    {
        Advance();
        bool named = matchers.Count > 0;
        while (!_token.Is("}"))
        {
            QueryToken label = _token;
            LabelMatcher matcher = Matcher();
            if (named && matcher.Name == SeriesInfo.NameLabel)
            {
                throw Error(label, $"The metric is named already: {matchers[0].Value}");
            }

            matchers.Add(matcher);
            if (!_token.Is(","))
            {
                break;
            }

            Advance();
        }

        Expect("}", "or a comma at the end of a matcher");
    }

    private LabelMatcher Matcher()
    {
        string name = LabelName($"a label name or {QueryText.Quote("}")}");
        MatchOperator? op = _token.Kind != TokenKind.Sign ? null : _token.Text switch
        {
            "=" => MatchOperator.Equal,
            "!=" => MatchOperator.NotEqual,
            "=~" => MatchOperator.Matches,
            "!~" => MatchOperator.NotMatches,
            _ => null,
        };
        if (op is null)
        {
            throw Unexpected($"one of = != =~ !~ after the label {name}");
        }

        Advance();
        QueryToken value = _token;
        if (value.Kind != TokenKind.Text)
        {
            throw Unexpected($"a value in quotes for the label {name}");
        }

        Advance();
        try
        {
            return new LabelMatcher(name, op.Value, value.Text);
        }
        catch (QueryException e)
        {
            throw Error(value, e.Message);
        }
    }

    private string LabelName(string expected)
    {
        if (_token.Kind != TokenKind.Name || !QueryText.IsLabelName(_token.Text))
        {
            throw Unexpected(expected);
        }

        string name = _token.Text;
        Advance();
        return name;
    }

    /// <summary>Whether a name stands here that something is applied with: <c>name(</c>, <c>name by (</c>, <c>name without (</c>.</summary>
    private bool IsCall()
    {
        if (_token.Kind != TokenKind.Name)
        {
            return false;
        }

        QueryLexer ahead = new(_text, _token.End);
        QueryToken next = ahead.Next();
        return next.Is("(") || (next.Kind == TokenKind.Name && QueryWords.IsGrouping(next.Text) && ahead.Next().Is("("));
    }

    private void Advance() => _token = _lexer.Next();

    private void Expect(string sign, string where)
    {
        if (!_token.Is(sign))
        {
            throw Unsupported() ?? Unexpected((QueryText.Quote(sign) + " " + where).TrimEnd());
        }

        Advance();
    }

    private void ExpectEnd()
    {
        if (_token.Kind != TokenKind.End)
        {
            throw Unsupported() ?? Unexpected("the end");
        }
    }

    /// <summary>What PromQL knows and we do not; null where the token is none of it.</summary>
    private QuerySyntaxException? Unsupported() => _token switch
    {
        { Kind: TokenKind.Sign, Text: "+" or "-" or "*" or "/" or "%" or "^" } =>
            Error(_token, $"Arithmetic is not supported; query the parts and compute with the results, instead of {QueryText.Quote(_token.Text)}"),
        { Kind: TokenKind.Sign, Text: "==" or ">" or "<" or ">=" or "<=" or "!=" } =>
            Error(_token, $"Comparing values ({_token.Text}) is not supported; topk and bottomk find the extremes"),
        { Kind: TokenKind.Name, Text: "and" or "or" or "unless" or "bool" or "on" or "ignoring" or "group_left" or "group_right" } =>
            Error(_token, $"Combining queries ({_token.Text}) is not supported; a pattern such as {{label=~\"a|b\"}} selects several series"),
        { Kind: TokenKind.Name, Text: "offset" } or { Kind: TokenKind.Sign, Text: "@" } =>
            Error(_token, $"{_token.Text} is not supported; ask for that time instead"),
        _ => null,
    };

    private QuerySyntaxException Unexpected(string expected) => _token.Kind == TokenKind.End
        ? Error(_token, $"The text ends where {expected} was expected")
        : Error(_token, $"Found {_token.Shown} where {expected} was expected");

    private QuerySyntaxException Error(QueryToken token, string problem) => new(_text, token.Position, problem);

    /// <param name="IsGiven">Whether there is one.</param>
    /// <param name="IsWithout">without, not by.</param>
    /// <param name="Labels">Null where none is given.</param>
    private readonly record struct Grouping(bool IsGiven, bool IsWithout, IReadOnlyList<string>? Labels);
}
