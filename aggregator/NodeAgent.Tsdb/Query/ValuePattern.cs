using System.Text;
using System.Text.RegularExpressions;

namespace NodeAgent.Tsdb.Query;

/// <summary>
/// A pattern that a whole label value must match. Anchored at both ends, a dot also matches a line break, as in Prometheus.
/// Runs in time linear in the value (<see cref="RegexOptions.NonBacktracking"/>), so no pattern can hang a query; look-arounds
/// and back-references, which RE2 does not know either, are refused. The forms that people mostly write need no regex:
/// <c>a|b|c</c>, <c>.*</c>, <c>.+</c> and <c>prefix.*</c>.
/// </summary>
internal sealed class ValuePattern
{
    /// <summary>Longest pattern in characters: room for a hundred node names.</summary>
    public const int MaxLength = 4_096;

    private readonly Regex? _regex;
    private readonly HashSet<string>? _set;
    private readonly string? _prefix;
    private readonly int _minLength;

    private ValuePattern(IReadOnlyList<string>? literals, string? prefix, int minLength, Regex? regex)
    {
        Literals = literals;
        _set = literals is null ? null : new HashSet<string>(literals, StringComparer.Ordinal);
        _prefix = prefix;
        _minLength = minLength;
        _regex = regex;
    }

    /// <summary>The values that match, each once, if the pattern is an alternation of literals; else null.</summary>
    public IReadOnlyList<string>? Literals { get; }

    /// <exception cref="QueryException">Too long, or not a valid pattern.</exception>
    public static ValuePattern Parse(string pattern)
    {
        if (pattern.Length > MaxLength)
        {
            throw new QueryException(QueryErrorKind.InvalidArgument, $"The pattern has {pattern.Length} characters, more than {MaxLength}");
        }

        if (TryReadLiterals(pattern, out List<string> literals))
        {
            return new ValuePattern([.. literals.Distinct(StringComparer.Ordinal)], null, 0, null);
        }

        if (pattern.EndsWith(".*", StringComparison.Ordinal) && TryReadLiterals(pattern[..^2], out literals) && literals.Count == 1)
        {
            return new ValuePattern(null, literals[0], 0, null);
        }

        return pattern == ".+" ? new ValuePattern(null, "", 1, null) : new ValuePattern(null, null, 0, Compile(pattern));
    }

    public bool IsMatch(string value)
    {
        if (_set is not null)
        {
            return _set.Contains(value);
        }

        return _prefix is not null
            ? value.Length >= _minLength && value.StartsWith(_prefix, StringComparison.Ordinal)
            : _regex!.IsMatch(value);
    }

    private static Regex Compile(string pattern)
    {
        const RegexOptions Options = RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.Singleline;
        try
        {
            // Checked alone first: wrapped in a group, "a)(b" would be accepted and mean something else.
            _ = new Regex(pattern, Options);
            return new Regex(@"\A(?:" + pattern + @")\z", Options);
        }
        catch (RegexParseException e)
        {
            throw new QueryException(
                QueryErrorKind.InvalidArgument, $"The pattern {QueryText.Quote(pattern)} is not valid: {Reason(e.Message)}, at its character {e.Offset}");
        }
        catch (NotSupportedException)
        {
            // Look-arounds, back-references, or so many repetitions that the automaton would not fit.
            throw new QueryException(
                QueryErrorKind.InvalidArgument,
                $"The pattern {QueryText.Quote(pattern)} uses a look-around, a back-reference or too large a repetition, which cannot be matched in linear time");
        }
    }

    /// <summary>The framework's message without its repetition of the pattern: "Invalid pattern 'x' at offset 1. Reason." gives "reason".</summary>
    private static string Reason(string message)
    {
        int offset = message.LastIndexOf("at offset ", StringComparison.Ordinal);
        int start = offset < 0 ? -1 : message.IndexOf(". ", offset, StringComparison.Ordinal);
        string reason = start < 0 ? message : message[(start + 2)..];
        return char.ToLowerInvariant(reason[0]) + reason[1..].TrimEnd('.');
    }

    /// <summary>Reads <c>a|b\.c|d</c> into its literals; false as soon as a character has a meaning of its own.</summary>
    private static bool TryReadLiterals(string pattern, out List<string> literals)
    {
        literals = [];
        StringBuilder literal = new();
        for (int i = 0; i < pattern.Length; i++)
        {
            char c = pattern[i];
            if (c == '|')
            {
                literals.Add(literal.ToString());
                literal.Clear();
            }
            else if (c == '\\' && i + 1 < pattern.Length && char.IsAscii(pattern[i + 1]) && !char.IsAsciiLetterOrDigit(pattern[i + 1]))
            {
                literal.Append(pattern[++i]);
            }
            else if (@"\.+*?()[]{}^$".Contains(c, StringComparison.Ordinal))
            {
                return false;
            }
            else
            {
                literal.Append(c);
            }
        }

        literals.Add(literal.ToString());
        return true;
    }
}
