using System.CommandLine;
using System.CommandLine.Parsing;
using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Output;

namespace NodeAgent.Ctl.Commands;

/// <summary>Options that every command takes.</summary>
internal sealed class GlobalOptions
{
    /// <summary>Long enough for a slow query over a large range, short enough that a script notices.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(10);

    public readonly Option<string?> Server = new("--server", "-s")
    {
        Description = "Aggregator's address; https:// unless it says http:// (default: NODECTL_SERVER, the profile, https://127.0.0.1:7443)",
        HelpName = "host:port",
        Recursive = true,
    };

    public readonly Option<string?> Profile = new("--profile") { Description = "Profile of the configuration file (default: NODECTL_PROFILE, then its \"current\")", HelpName = "name", Recursive = true };
    public readonly Option<string?> Ca = new("--ca") { Description = "PEM file with the fleet's CA (default: NODECTL_CA, the profile)", HelpName = "file", Recursive = true };
    public readonly Option<string?> Cert = new("--cert") { Description = "PEM file with your certificate (default: NODECTL_CERT, the profile)", HelpName = "file", Recursive = true };
    public readonly Option<string?> Key = new("--key") { Description = "PEM file with its key (default: NODECTL_KEY, the profile)", HelpName = "file", Recursive = true };
    public readonly Option<bool> Plaintext = new("--plaintext") { Description = "HTTP/2 without TLS; this machine's loopback only", Recursive = true };
    public readonly Option<TimeSpan?> Timeout = Values.Duration("--timeout", "Longest wait for an answer (default: 10s); streams have none", recursive: true);
    public readonly Option<OutputFormat?> Output = Values.Choice<OutputFormat>("--output", "-o", "Form of the output", "form", recursive: true);
    public readonly Option<bool> NoColor = new("--no-color") { Description = "No colours (also NO_COLOR, and whenever the output is no terminal)", Recursive = true };
    public readonly Option<bool> Verbose = new("--verbose", "-v") { Description = "Say more on standard error; -vv also shows where an error arose", Recursive = true, Arity = ArgumentArity.Zero };

    public void AddTo(Command root)
    {
        foreach (Option option in (Option[])[Server, Profile, Ca, Cert, Key, Plaintext, Timeout, Output, NoColor, Verbose]) root.Add(option);
    }

    public ConnectionFlags Connection(ParseResult parse) => new(
        parse.GetValue(Server), parse.GetValue(Ca), parse.GetValue(Cert), parse.GetValue(Key), parse.GetValue(Profile),
        parse.GetValue(Plaintext), parse.GetValue(Timeout) ?? DefaultTimeout);

    /// <summary>How often -v was given.</summary>
    public int Verbosity(ParseResult parse) => parse.GetResult(Verbose) is OptionResult { Implicit: false } result ? result.IdentifierTokenCount : 0;

    public Printer Printer(ParseResult parse, CtlWorld world)
    {
        bool terminal = world.Terminal.OutputIsTerminal;
        bool colour = terminal && !parse.GetValue(NoColor) && world.Variable("NO_COLOR") is null && world.Variable("TERM") != "dumb";
        return new Printer(world.Out, parse.GetValue(Output) ?? OutputFormat.Table, colour, terminal ? world.Terminal.Width : int.MaxValue);
    }
}
