using System.Diagnostics;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary>Runs the tools that a build step is made of, with their output passed through.</summary>
internal static class Shell
{
    /// <summary>Runs a tool in the repository's root with our own output streams; gives its exit code.</summary>
    internal static async Task<int> RunAsync(string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        ProcessStartInfo start = new(file) { WorkingDirectory = Repository.Root };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach ((string key, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[key] = value;
        }

        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{file} could not be started");
        await process.WaitForExitAsync().ConfigureAwait(false);
        return process.ExitCode;
    }

    internal static Task<int> DotnetAsync(params string[] arguments) => RunAsync("dotnet", arguments);

    /// <summary>Builds a project or the solution in the one configuration that all steps use.</summary>
    internal static Task<int> BuildAsync(string project) =>
        DotnetAsync("build", project, "-c", "Release", "-v", "quiet", "--nologo", "-clp:NoSummary");

    /// <summary>Publishes the agent as it ships: self-contained, trimmed, ReadyToRun, one file.</summary>
    internal static Task<int> PublishAgentAsync(string runtime) => PublishAsync("agent/NodeAgent.Agent", "agent", runtime);

    /// <summary>Publishes a program as it ships, into artifacts/publish/NAME-RUNTIME.</summary>
    internal static Task<int> PublishAsync(string project, string name, string runtime) =>
        DotnetAsync("publish", project, "-c", "Release", "-r", runtime, "--self-contained", "-v", "quiet", "--nologo",
            "-p:PublishShape=single", "-o", $"artifacts/publish/{name}-{runtime}");
}
