using System.Xml.Linq;

namespace NodeAgent.Repo.Tests;

/// <summary>Which room may see which. Each forbidden arrow has its reason; what is not listed as allowed is forbidden.</summary>
public sealed class ArrowTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["NodeAgent.Contracts"] = [],
        ["NodeAgent.Rpc"] = [],
        ["NodeAgent.Rpc.Server"] = ["NodeAgent.Rpc"],
        ["NodeAgent.Hosting"] = [],
        ["NodeAgent.Journal"] = [],
        ["NodeAgent.Protos"] = ["NodeAgent.Contracts", "NodeAgent.Rpc"],
        ["NodeAgent.Commands"] = ["NodeAgent.Journal", "NodeAgent.Protos"],
        ["NodeAgent.Nvml"] = [],
        ["NodeAgent.Actuation"] = ["NodeAgent.Commands", "NodeAgent.Journal", "NodeAgent.Nvml", "NodeAgent.Protos"],
        ["NodeAgent.Sampling"] = ["NodeAgent.Contracts"],
        ["NodeAgent.Agent"] = ["NodeAgent.Actuation", "NodeAgent.Commands", "NodeAgent.Contracts", "NodeAgent.Protos", "NodeAgent.Rpc", "NodeAgent.Hosting", "NodeAgent.Journal", "NodeAgent.Sampling", "NodeAgent.Nvml"],
        ["NodeAgent.Tsdb"] = ["NodeAgent.Contracts", "NodeAgent.Journal"],
        ["NodeAgent.Placement"] = [],
        ["NodeAgent.Detection"] = ["NodeAgent.Contracts"],
        ["NodeAgent.Aggregator"] = ["NodeAgent.Commands", "NodeAgent.Contracts", "NodeAgent.Protos", "NodeAgent.Rpc", "NodeAgent.Rpc.Server", "NodeAgent.Hosting", "NodeAgent.Journal", "NodeAgent.Tsdb", "NodeAgent.Detection", "NodeAgent.Placement"],
        ["NodeAgent.Ctl"] = ["NodeAgent.Commands", "NodeAgent.Contracts", "NodeAgent.Protos", "NodeAgent.Rpc"],
    };

    private static readonly (string From, string To, string Why)[] Forbidden =
    [
        ("NodeAgent.Agent", "NodeAgent.Rpc.Server", "an agent has no listening port, so it must not even contain a server"),
        ("NodeAgent.Agent", "NodeAgent.Aggregator", "agents and aggregators are upgraded apart; they share the contract only"),
        ("NodeAgent.Aggregator", "NodeAgent.Agent", "agents and aggregators are upgraded apart; they share the contract only"),
        ("NodeAgent.Sampling", "NodeAgent.Protos", "samplers know values, not messages; the uplink maps them"),
        ("NodeAgent.Sampling", "NodeAgent.Nvml", "a call into NVML can hang or end the process; only the GPU reader, a process of its own, makes them"),
        ("NodeAgent.Commands", "NodeAgent.Actuation", "whoever signs or verifies a command must not contain what carries it out"),
        ("NodeAgent.Actuation", "NodeAgent.Rpc", "the actuator has privilege, and so speaks to nobody over a network"),
        ("NodeAgent.Actuation", "NodeAgent.Sampling", "what acts on a host reads back for itself, when it must know"),
        ("NodeAgent.Aggregator", "NodeAgent.Actuation", "a command is carried out by the agent's actuator alone"),
        ("NodeAgent.Tsdb", "NodeAgent.Protos", "the store serves several protocols; adapters translate"),
        ("NodeAgent.Placement", "NodeAgent.Tsdb", "a decision replays from its journal; telemetry enters as a condition of a node, not as series"),
        ("NodeAgent.Placement", "NodeAgent.Protos", "placement knows requests, not messages; the service maps them"),
        ("NodeAgent.Detection", "NodeAgent.Tsdb", "a finding replays from samples alone; whoever owns the store feeds them, live or from history"),
        ("NodeAgent.Detection", "NodeAgent.Protos", "detection knows samples and findings, not messages; the service maps them"),
        ("NodeAgent.Detection", "NodeAgent.Placement", "a hazard is a number that placement may use; neither room needs the other to be understood"),
        ("NodeAgent.Ctl", "NodeAgent.Tsdb", "nodectl asks; it never computes what the engine computes"),
    ];

    // Who may know the web framework; a library that does could not be simulated without a server.
    private static readonly string[] MayServe = ["NodeAgent.Rpc.Server", "NodeAgent.Aggregator"];

    public static TheoryData<string> Projects => [.. ProductProjects().Select(project => Path.GetFileNameWithoutExtension(project))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_References_AreAllowedArrows(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"{project} is a new room: give it its row in ArrowTests.Allowed");
        foreach (string target in ReferencesOf(project))
        {
            string why = Forbidden.FirstOrDefault(arrow => arrow.From == project && arrow.To == target).Why ?? "it is not in ArrowTests.Allowed";
            Assert.True(Allowed[project].Contains(target), $"{project} -> {target} is forbidden: {why}");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_WebFramework_OnlyWhereAServerIs(string project)
    {
        bool serves = Load(project).Descendants("FrameworkReference").Any(reference => (string?)reference.Attribute("Include") == "Microsoft.AspNetCore.App");

        Assert.True(!serves || MayServe.Contains(project), $"{project} must not reference Microsoft.AspNetCore.App");
    }

    [Fact]
    public void Folders_Names_ExcludeSomething()
    {
        string[] vague = ["Common", "Utils", "Utilities", "Helpers", "Misc", "Shared"];

        Assert.DoesNotContain(Tree.Files, path => path.Split('/').Any(part => vague.Contains(part)));
    }

    [Fact]
    public void EveryProject_IsInTheSolution()
    {
        string solution = Tree.Read("NodeAgent.sln").Replace('\\', '/');

        Assert.All(Tree.With(".csproj"), project => Assert.Contains(project, solution));
    }

    private static IEnumerable<string> ProductProjects() =>
        Tree.With(".csproj").Where(path => !path.StartsWith("tests/", StringComparison.Ordinal) && !path.StartsWith("packaging/", StringComparison.Ordinal));

    private static IEnumerable<string> ReferencesOf(string project) =>
        Load(project).Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(((string)reference.Attribute("Include")!).Replace('\\', '/')));

    private static XDocument Load(string project) =>
        XDocument.Parse(Tree.Read(ProductProjects().Single(path => Path.GetFileNameWithoutExtension(path) == project)));
}
