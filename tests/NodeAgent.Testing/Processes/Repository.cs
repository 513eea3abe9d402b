namespace NodeAgent.Testing.Processes;

/// <summary>Where things are in the checkout that a test or a build step runs from.</summary>
public static class Repository
{
    /// <summary>The folder with NodeAgent.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The build configuration this code was built with, as artifacts/ spells it.</summary>
    public static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}release", StringComparison.Ordinal) ? "release" : "debug";

    /// <summary>The managed program of a project, as built beside this code.</summary>
    public static string Program(string project, string assembly) =>
        Path.Combine(Root, "artifacts", "bin", project, Configuration, assembly + ".dll");

    public static string AgentProgram => Program("NodeAgent.Agent", "nodeagent");

    public static string AggregatorProgram => Program("NodeAgent.Aggregator", "aggregator");

    public static string CtlProgram => Program("NodeAgent.Ctl", "nodectl");

    /// <summary>The published, trimmed agent for this machine; made by <c>./build.sh test</c>, <c>bench</c> and <c>pack</c>.</summary>
    public static string PublishedAgent => Path.Combine(Root, "artifacts", "publish", "agent-linux-x64", "nodeagent");

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "NodeAgent.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no NodeAgent.sln above {AppContext.BaseDirectory}");
    }
}
