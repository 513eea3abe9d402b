using System.Globalization;
using NodeAgent.V1;

namespace NodeAgent.Commands.Catalogue;

/// <summary>One parameter of a command: a number within bounds, or a short text.</summary>
public sealed class ParameterDescription
{
    private const int MaxText = 256;
    private readonly Func<Command, long>? _number;
    private readonly Func<Command, string>? _text;

    private ParameterDescription(string name, string unit, string meaning, Func<Command, long>? number, Func<Command, string>? text)
    {
        Name = name;
        Unit = unit;
        Meaning = meaning;
        _number = number;
        _text = text;
    }

    /// <summary>As in the message and in the policy file.</summary>
    public string Name { get; }

    /// <summary>"mW", "bytes"; "" for texts and plain numbers.</summary>
    public string Unit { get; }

    public string Meaning { get; }

    public bool IsNumber => _number is not null;

    public long Min { get; private init; }

    public long Max { get; private init; }

    /// <summary>Texts: what may be empty is a choice, what may not is a target.</summary>
    public bool MayBeEmpty { get; private init; }

    /// <summary>
    /// The policy must list the values it allows. For what names a thing of the node: a rule without a list would allow all of them,
    /// also those that come later.
    /// </summary>
    public bool MustBeListed { get; private init; }

    public long NumberOf(Command command) => _number?.Invoke(command) ?? throw new InvalidOperationException($"{Name} is a text");

    public string TextOf(Command command) => _text?.Invoke(command) ?? throw new InvalidOperationException($"{Name} is a number");

    /// <summary>The value as text, for people and audits.</summary>
    public string Show(Command command) => IsNumber ? NumberOf(command).ToString(CultureInfo.InvariantCulture) : TextOf(command);

    /// <summary>Null: within its bounds.</summary>
    public string? Problem(Command command)
    {
        if (IsNumber)
        {
            long value = NumberOf(command);
            return value < Min || value > Max ? $"{Name} {value}: {Min} to {Max} {Unit} is wanted".TrimEnd() : null;
        }

        string text = TextOf(command);
        if (text.Length == 0) return MayBeEmpty ? null : $"{Name}: wanted";
        if (text.Length > MaxText) return $"{Name}: at most {MaxText} characters";
        // Texts become file names and arguments. A leading hyphen would be an option, a space or a control character is in no honest name.
        return text[0] == '-' || !text.All(c => char.IsAsciiLetterOrDigit(c) || "._-:/@+".Contains(c, StringComparison.Ordinal))
            ? $"{Name}: only ASCII letters, digits and ._-:/@+, and no hyphen first"
            : null;
    }

    internal static ParameterDescription Number(string name, string unit, long min, long max, string meaning, Func<Command, long> read) =>
        new(name, unit, meaning, read, null) { Min = min, Max = max };

    internal static ParameterDescription Text(string name, string meaning, Func<Command, string> read, bool mustBeListed = false, bool mayBeEmpty = false) =>
        new(name, "", meaning, null, read) { MustBeListed = mustBeListed, MayBeEmpty = mayBeEmpty };
}
