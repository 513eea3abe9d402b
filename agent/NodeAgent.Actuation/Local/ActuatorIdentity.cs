using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using NodeAgent.Commands;
using NodeAgent.Journal.Files;

namespace NodeAgent.Actuation.Local;

/// <summary>
/// Whom commands name when they mean this node. Made once, beside the command journal, and never changed: another fleet or node needs
/// another journal, because which commands were consumed is the journal's knowledge.
/// </summary>
/// <param name="Fleet">The fleet's name.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Incarnation">16 random bytes: what was signed for an earlier journal is not meant for this one.</param>
public sealed record ActuatorIdentity(string Fleet, string Node, byte[] Incarnation)
{
    private const string FileName = "identity";
    private const int MaxFileBytes = 1024;

    public Guid Agent => CommandIdentity.AgentOf(Fleet, Node, Incarnation);

    public Guid FleetId => CommandIdentity.FleetOf(Fleet);

    /// <summary>Reads the identity, or makes it where there is none; then it is on the disk.</summary>
    /// <param name="folder">The actuator's state.</param>
    /// <param name="fleet">As the node's certificate says.</param>
    /// <param name="node">As the node's certificate says.</param>
    /// <param name="files">The disk.</param>
    /// <param name="identity">The identity.</param>
    /// <param name="problem">Why there is none.</param>
    public static bool TryOpen(string folder, string fleet, string node, IFileOps files, [NotNullWhen(true)] out ActuatorIdentity? identity, out string problem)
    {
        identity = null;
        string path = Path.Combine(folder, FileName);
        problem = "";
        if (!File.Exists(path))
        {
            identity = new ActuatorIdentity(fleet, node, RandomNumberGenerator.GetBytes(CommandIdentity.IncarnationBytes));
            problem = Write(path, identity, files);
            if (problem.Length > 0) identity = null;
            return identity is not null;
        }

        byte[] bytes = File.ReadAllBytes(path);
        string[] lines = bytes.Length > MaxFileBytes ? [] : Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines.Length != 4 || lines[2].Length != 2 * CommandIdentity.IncarnationBytes || !lines[2].All(char.IsAsciiHexDigit))
        {
            problem = $"{path} is damaged; move {folder} away to begin anew, under another id";
            return false;
        }

        if (lines[0] != fleet || lines[1] != node)
        {
            problem = $"{folder} belongs to node {lines[1]} of fleet {lines[0]}, and this is {node} of {fleet}; move it away to begin anew";
            return false;
        }

        identity = new ActuatorIdentity(fleet, node, Convert.FromHexString(lines[2]));
        return true;
    }

    private static string Write(string path, ActuatorIdentity identity, IFileOps files)
    {
        string text = $"{identity.Fleet}\n{identity.Node}\n{Convert.ToHexStringLower(identity.Incarnation)}\n";
        files.TryReplace(path, Encoding.UTF8.GetBytes(text), isDurable: true, out string problem);
        return problem;
    }
}
