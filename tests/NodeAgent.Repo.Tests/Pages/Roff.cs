using System.Text;
using System.Text.RegularExpressions;

namespace NodeAgent.Repo.Tests.Pages;

/// <summary>A manual page in man(7)'s macros. Text is one sentence a line or less; what looks like a macro or an escape is disarmed.</summary>
internal sealed partial class Roff
{
    /// <summary>man(7) wants a date: the day on which these pages got their form. What they say is as new as the code.</summary>
    private const string Date = "2026-11-21";

    private readonly StringBuilder _text = new();
    private bool _isAfterHeading;

    /// <param name="name">The page's name.</param>
    /// <param name="section">1: commands, 5: files, 8: administration.</param>
    /// <param name="purpose">The line that apropos(1) finds; no full stop.</param>
    public Roff(string name, int section, string purpose)
    {
        _text.Append(".\\\" Generated from the code by ./build.sh docs; a test compares. Change the code, not this page.\n");
        _text.Append($".TH {name.ToUpperInvariant()} {section} {Date} NodeAgent NodeAgent\n.SH NAME\n{Escape(name)} \\- {Escape(purpose)}\n");
    }

    public Roff Section(string title)
    {
        _text.Append($".SH {title.ToUpperInvariant()}\n");
        _isAfterHeading = true;
        return this;
    }

    public Roff Subsection(string title)
    {
        _text.Append($".SS {Escape(title)}\n");
        _isAfterHeading = true;
        return this;
    }

    /// <summary>A paragraph; `words` in backticks are set in bold.</summary>
    public Roff Paragraph(string text)
    {
        Break().Append(Line(text));
        return this;
    }

    /// <summary>A term with what it means.</summary>
    public Roff Item(string term, string meaning)
    {
        _isAfterHeading = false;
        _text.Append($".TP\n.B {Escape(term)}\n").Append(Line(meaning.Length > 0 ? meaning : "\u00a0"));
        return this;
    }

    /// <summary>Lines as they are, such as an example.</summary>
    public Roff Literal(string lines)
    {
        Break().Append(".nf\n.RS 4\n").Append(string.Concat(lines.TrimEnd('\n').Split('\n').Select(line => Guard(Escape(line)) + "\n"))).Append(".RE\n.fi\n");
        return this;
    }

    public override string ToString() => _text.ToString();

    // A heading starts a paragraph by itself.
    private StringBuilder Break()
    {
        StringBuilder text = _isAfterHeading ? _text : _text.Append(".PP\n");
        _isAfterHeading = false;
        return text;
    }

    private static string Line(string text) => string.Concat(Sentences().Split(text.Trim()).Select(sentence => Guard(Bold().Replace(Escape(sentence), "\\fB$1\\fR")) + "\n"));

    private static string Guard(string line) => line.StartsWith('.') || line.StartsWith('\'') ? "\\&" + line : line;

    private static string Escape(string text) => text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
        .Replace("\u00a0", "\\ ", StringComparison.Ordinal).Replace("\u2026", "...", StringComparison.Ordinal);

    // After a full stop, so that the formatter sets the space of a sentence's end.
    [GeneratedRegex(@"(?<=[a-z0-9)`]\.) (?=[A-Z])")]
    private static partial Regex Sentences();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Bold();
}
