using System.CommandLine;
using System.CommandLine.Parsing;
using NodeAgent.Ctl.Text;

namespace NodeAgent.Ctl.Commands;

/// <summary>What is wrong with a command line, in one line, with what was probably meant.</summary>
internal static class ParseFailure
{
    private const string UnknownOption = "unknown option";

    public static CtlException Explain(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        string path = PathOf(parse.CommandResult);
        string help = $"See '{path} --help'.";

        // An unknown option in front of its value is taken for an argument, and the value for a stranger: the option is the news.
        if (parse.Errors.FirstOrDefault(error => error.SymbolResult is ArgumentResult && error.Message.StartsWith(UnknownOption, StringComparison.Ordinal)) is { } taken)
        {
            return CtlException.Usage(taken.Message.TrimEnd('?').Split(". ")[0], $"{path} does not have it", Join(taken.Message.Split(". ").ElementAtOrDefault(1), help));
        }

        if (parse.UnmatchedTokens is [{ } stranger, ..]) return Unmatched(stranger, command, parse.CommandResult, path, help);
        ParseError error = parse.Errors[0];
        if (error.SymbolResult is ArgumentResult { Tokens.Count: 0 } missing) return CtlException.Usage($"missing {NameOf(missing.Argument)}", $"{path} needs it", help);
        if (error.SymbolResult is OptionResult { Tokens.Count: 0 } bare) return CtlException.Usage($"{bare.Option.Name} needs a value", "none was given", help);
        if (error.SymbolResult is CommandResult && command.Subcommands.Count > 0) return CtlException.Usage("missing command", $"{path} needs one of {string.Join(", ", Names(command))}", help);
        return CtlException.Usage("cannot read the command line", error.Message, help);
    }

    /// <summary>The error for a token that looks like an option where an argument is expected; the parser would take it as the argument.</summary>
    public static void RefuseOption(ArgumentResult result)
    {
        foreach (Token token in result.Tokens)
        {
            if (token.Value.Length < 2 || token.Value[0] != '-' || char.IsAsciiDigit(token.Value[1])) continue;
            SymbolResult? parent = result.Parent;
            while (parent is not null and not CommandResult) parent = parent.Parent;
            string question = parent is CommandResult owner && Nearest.Question(token.Value, Options(owner)) is { } text ? ". " + text : "";
            result.AddError($"{UnknownOption} '{token.Value}'{question}");
        }
    }

    private static CtlException Unmatched(string stranger, Command command, CommandResult result, string path, string help)
    {
        bool option = stranger.StartsWith('-');
        if (option) return CtlException.Usage($"unknown option '{stranger}'", $"{path} does not have it", Join(Nearest.Question(stranger, Options(result)), help));
        if (command.Subcommands.Count > 0)
        {
            return CtlException.Usage($"unknown command '{stranger}'", $"{path} does not have it", Join(Nearest.Question(stranger, Names(command)), help));
        }

        string quoting = stranger.ContainsAny('{', '(', '[') ? "Put the whole expression in single quotes." : help;
        return CtlException.Usage($"unexpected argument '{stranger}'", $"{path} takes {Takes(command)}", quoting);
    }

    private static string Takes(Command command)
    {
        int count = command.Arguments.Sum(argument => argument.Arity.MaximumNumberOfValues);
        return count switch
        {
            0 => "no argument",
            1 => $"one argument, {NameOf(command.Arguments[0])}",
            _ => $"{count} arguments: {string.Join(", ", command.Arguments.Select(NameOf))}",
        };
    }

    private static string NameOf(Argument argument) => argument.HelpName ?? argument.Name;

    private static IEnumerable<string> Names(Command command) => command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name);

    private static IEnumerable<string> Options(CommandResult result)
    {
        for (SymbolResult? at = result; at is not null; at = at.Parent)
        {
            if (at is not CommandResult command) continue;
            foreach (Option option in command.Command.Options)
            {
                if (ReferenceEquals(at, result) || option.Recursive) yield return option.Name;
            }
        }
    }

    private static string PathOf(CommandResult result)
    {
        List<string> names = [];
        for (SymbolResult? at = result; at is not null; at = at.Parent)
        {
            if (at is CommandResult command) names.Insert(0, command.Command is RootCommand ? "nodectl" : command.Command.Name);
        }

        return string.Join(' ', names);
    }

    private static string Join(string? question, string help) => question is null ? help : $"{question} {help}";
}
