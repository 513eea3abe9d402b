using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;

namespace NodeAgent.Ctl.Tests.Harness;

/// <summary>nodectl in a scripted world: run a command line, look at what came out.</summary>
internal sealed class Bench
{
    public ScriptedFleet Fleet { get; } = new();
    public ScriptedTerminal Terminal { get; } = new();
    public ScriptedProbe Probe { get; } = new();
    public HandTime Time { get; } = new();
    public Dictionary<string, string> Variables { get; } = [];

    /// <summary>Settings of the last connection.</summary>
    public ConnectionSettings? Connected { get; private set; }

    /// <summary>Replaces the scripted fleet.</summary>
    public Func<ConnectionSettings, IFleet>? Connect { get; set; }

    public LineWriter Out { get; } = new();

    /// <summary>Replaces the clock that moves by hand.</summary>
    public TimeProvider? Clock { get; init; }

    /// <summary>Replaces the scripted network.</summary>
    public INetworkProbe? RealProbe { get; init; }

    /// <summary>This machine's files; none, unless a test makes some.</summary>
    public string HostRoot { get; init; } = "/nonexistent-root";

    public StringWriter Error { get; } = new() { NewLine = "\n" };

    public string Output => Out.ToString();

    public string Errors => Error.ToString();

    public async Task<ExitCode> RunAsync(string[] arguments, CancellationToken cancellation = default) => await Nodectl.RunAsync(arguments, World(), cancellation);

    /// <summary>A terminal of this size with colours, as a person has.</summary>
    public Bench AsTerminal(int width, int height = 24)
    {
        Terminal.OutputIsTerminal = true;
        Terminal.InputIsTerminal = true;
        Terminal.Width = width;
        Terminal.Height = height;
        return this;
    }

    public CtlWorld World() => new()
    {
        Out = Out,
        Error = Error,
        Terminal = Terminal,
        Time = Clock ?? Time,
        Environment = name => Variables.GetValueOrDefault(name),
        // A home that exists nowhere: no test may depend on the configuration of who runs it.
        Home = "/nonexistent-home",
        HostName = "bench",
        HostRoot = HostRoot,
        Probe = RealProbe ?? Probe,
        Connect = settings =>
        {
            Connected = settings;
            return Connect is null ? Fleet : Connect(settings);
        },
    };
}
