using System.Diagnostics.CodeAnalysis;
using NodeAgent.Actuation.Host;

namespace NodeAgent.Actuation.Actuators;

/// <summary>What scontrol says of a node (<c>scontrol show node NAME --oneliner</c>), and what it can be told.</summary>
/// <param name="States">Base state and flags: IDLE, MIXED, DRAIN, ...</param>
/// <param name="Reason">Why it is drained; "" where nobody said.</param>
internal sealed record SlurmNode(IReadOnlyList<string> States, string Reason)
{
    /// <summary>Reasons of commands begin so, and only such a node is given back: somebody else's drain is somebody else's decision.</summary>
    internal const string Tag = "nodeagent:";

    internal bool IsDrained => States.Any(state => state is "DRAIN" or "DRAINED" or "DRAINING");

    internal bool IsDrainedByUs => IsDrained && Reason.StartsWith(Tag, StringComparison.Ordinal);

    internal string Describe => $"{string.Join('+', States)}{(Reason.Length > 0 ? $", reason {Reason}" : "")}";

    internal static bool TryShow(Tools tools, HostPaths paths, string name, CancellationToken deadline, [NotNullWhen(true)] out SlurmNode? node, out ToolResult result)
    {
        result = tools.Run(paths.Scontrol, ["show", "node", name, "--oneliner"], deadline);
        node = result.Ok ? Parse(result.Text) : null;
        return node is not null;
    }

    /// <summary>Null: done. Else why not.</summary>
    internal static string? Update(Tools tools, HostPaths paths, string name, string state, string? reason, CancellationToken deadline)
    {
        List<string> arguments = ["update", $"nodename={name}", $"state={state}"];
        if (reason is not null) arguments.Add($"reason={reason}");
        ToolResult result = tools.Run(paths.Scontrol, arguments, deadline);
        return result.Ok ? null : result.Problem("scontrol update");
    }

    // One line of NAME=VALUE. Reason is the last field and holds blanks, then who and when in brackets.
    private static SlurmNode? Parse(string text)
    {
        int at = text.IndexOf(" State=", StringComparison.Ordinal);
        if (at < 0) return null;
        string states = text[(at + " State=".Length)..].Split(' ')[0];
        int why = text.IndexOf(" Reason=", StringComparison.Ordinal);
        string reason = why < 0 ? "" : text[(why + " Reason=".Length)..].Trim();
        int who = reason.LastIndexOf(" [", StringComparison.Ordinal);
        return new SlurmNode([.. states.TrimEnd('*').Split('+').Select(state => state.TrimEnd('*', '~', '#', '!', '%', '$', '@', '^', '-'))], who < 0 ? reason : reason[..who]);
    }
}
