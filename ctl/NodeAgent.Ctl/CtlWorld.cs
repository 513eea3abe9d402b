using NodeAgent.Ctl.Connection;
using NodeAgent.Ctl.Doctor;

namespace NodeAgent.Ctl;

/// <summary>Everything outside the process that a command touches. Program.cs fills it from the real world, tests from a scripted one.</summary>
internal sealed record CtlWorld
{
    public required TextWriter Out { get; init; }
    public required TextWriter Error { get; init; }
    public required ITerminal Terminal { get; init; }
    public required TimeProvider Time { get; init; }

    /// <summary>An environment variable; null or empty: not set.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>The user's home folder; empty: none.</summary>
    public required string Home { get; init; }

    /// <summary>This machine's name, for a server certificate's default names.</summary>
    public required string HostName { get; init; }

    /// <summary>Opens a channel. Nothing is sent before the first call.</summary>
    public required Func<ConnectionSettings, IFleet> Connect { get; init; }

    public required INetworkProbe Probe { get; init; }

    /// <summary>Where this machine's own files are, for checks of an agent on it. A test gives a folder.</summary>
    public string HostRoot { get; init; } = "/";

    public string? Variable(string name) => Environment(name) is { Length: > 0 } value ? value : null;
}
