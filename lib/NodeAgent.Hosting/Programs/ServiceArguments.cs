namespace NodeAgent.Hosting.Programs;

/// <summary>What a service's command line asks for.</summary>
internal enum ServiceVerb
{
    Run,
    CheckConfiguration,
    ShowConfiguration,
    PrintExample,
    Version,
    Help,
}

/// <summary>
/// A service's command line: few verbs, the same for every program, so that a unit file or a habit fits all of them. Reads without
/// reflection and without a parser's start-up cost, which the agent would pay on every host.
/// </summary>
internal sealed record ServiceArguments(ServiceVerb Verb, IReadOnlyList<string> Files, IReadOnlyList<string> Overrides, bool WithSources)
{
    /// <summary>Reads the arguments. False: <paramref name="error"/> is one sentence that names the argument.</summary>
    internal static bool TryParse(IReadOnlyList<string> arguments, out ServiceArguments parsed, out string error)
    {
        List<string> files = [];
        List<string> overrides = [];
        List<string> words = [];
        bool check = false;
        bool sources = false;
        error = "";
        for (int i = 0; i < arguments.Count && error.Length == 0; i++)
        {
            switch (arguments[i])
            {
                case "--config" or "-c":
                    error = TakeValue(arguments, ref i, files);
                    break;
                case "--set":
                    error = TakeValue(arguments, ref i, overrides);
                    break;
                case "--check-config":
                    check = true;
                    break;
                case "--sources":
                    sources = true;
                    break;
                case "--effective":
                    break; // what `config show` shows in any case; people type it
                case "--version":
                    words.Add("version");
                    break;
                case "--help" or "-h":
                    words.Add("help");
                    break;
                case var option when option.StartsWith('-'):
                    error = $"unknown option '{option}'";
                    break;
                case var word:
                    words.Add(word);
                    break;
            }
        }

        ServiceVerb? verb = string.Join(' ', words) switch
        {
            "run" when check => ServiceVerb.CheckConfiguration,
            "" when check => ServiceVerb.CheckConfiguration,
            "run" => ServiceVerb.Run,
            "config show" => ServiceVerb.ShowConfiguration,
            "config example" => ServiceVerb.PrintExample,
            "version" => ServiceVerb.Version,
            "help" or "" => ServiceVerb.Help,
            _ => null,
        };
        if (error.Length == 0 && verb is null)
        {
            error = $"unknown command '{string.Join(' ', words)}'";
        }

        parsed = new ServiceArguments(verb ?? ServiceVerb.Help, files, overrides, sources);
        return error.Length == 0;
    }

    private static string TakeValue(IReadOnlyList<string> arguments, ref int index, List<string> values)
    {
        if (index + 1 == arguments.Count)
        {
            return $"{arguments[index]} needs a value";
        }

        values.Add(arguments[++index]);
        return "";
    }
}
