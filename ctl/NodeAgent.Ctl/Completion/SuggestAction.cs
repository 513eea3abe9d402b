using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;

namespace NodeAgent.Ctl.Completion;

/// <summary>
/// The [suggest] directive with fewer words: options only once somebody has typed a dash, and none of the spellings of help
/// that nobody completes. The library's own action offers all of them at every empty word.
/// </summary>
internal sealed class SuggestAction(SuggestDirective directive) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        string? value = parseResult.GetResult(directive)?.Values is [{ } first, ..] ? first : null;
        string line = parseResult.Tokens.LastOrDefault(token => token.Type != TokenType.Directive)?.Value ?? "";
        int position = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? Math.Min(given, line.Length) : line.Length;

        ParseResult completed = parseResult.RootCommandResult.Command.Parse(line, parseResult.Configuration);
        CompletionContext context = completed.GetCompletionContext() is TextCompletionContext text ? text.AtCursorPosition(position) : completed.GetCompletionContext();
        bool wantsOption = context.WordToComplete.StartsWith('-');
        foreach (CompletionItem item in completed.GetCompletions(position))
        {
            bool option = item.Label.StartsWith('-') || item.Label.StartsWith('/');
            // The library offers whatever contains the word; shells complete beginnings.
            if (!item.Label.StartsWith(context.WordToComplete, StringComparison.Ordinal)) continue;
            if (option != wantsOption || item.Label is "-?" or "-h" or "/?" or "/h") continue;
            parseResult.InvocationConfiguration.Output.WriteLine(item.Label);
        }

        return 0;
    }
}
