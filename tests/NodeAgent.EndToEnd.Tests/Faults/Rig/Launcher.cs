namespace NodeAgent.EndToEnd.Tests.Faults.Rig;

/// <summary>How a program is started: what stands before it on the command line, and what is added to its environment.</summary>
/// <param name="Prefix">Programs that end in <c>exec</c>, so that the process started is the program itself: <c>ip netns exec X</c>.</param>
/// <param name="Environment">Added to ours.</param>
internal sealed record Launcher(IReadOnlyList<string> Prefix, IReadOnlyDictionary<string, string> Environment)
{
    internal static readonly Launcher Plain = new([], new Dictionary<string, string>());

    internal static Launcher With(params string[] prefix) => Plain with { Prefix = prefix };

    /// <summary>In a mount namespace of its own, after running a script there; the mounts go when the program ends, however it ends.</summary>
    internal static Launcher WithMounts(string script) =>
        With("unshare", "--mount", "--propagation", "private", "sh", "-c", $"set -e; {script}; exec \"$@\"", "sh");

    internal Launcher And(string key, string value) => this with { Environment = new Dictionary<string, string>(Environment) { [key] = value } };

    /// <summary>The whole command for a program: managed (.dll) or native.</summary>
    internal (string File, IReadOnlyList<string> Arguments) Command(string program, IEnumerable<string> arguments)
    {
        string[] all = [.. Prefix, .. program.EndsWith(".dll", StringComparison.Ordinal) ? ["dotnet", program] : new[] { program }, .. arguments];
        return (all[0], all[1..]);
    }
}
