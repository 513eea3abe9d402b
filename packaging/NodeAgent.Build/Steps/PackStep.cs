using System.Diagnostics;
using NodeAgent.Build.Packaging;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary><c>./build.sh pack</c>: the programs as they ship, in every format that this machine can build. The same commit gives the same bytes.</summary>
internal static class PackStep
{
    internal static string Folder { get; } = Path.Combine(Repository.Root, "artifacts", "pack");

    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"pack takes no argument; got '{arguments[0]}'");
            return 2;
        }

        if (await ProgramsAsync(isPublished: false, withWindows: true).ConfigureAwait(false) is not { } programs)
        {
            return 1;
        }

        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        Release release = await Release.OfThisTreeAsync().ConfigureAwait(false);
        return await PackageSet.WriteAsync(programs, release, Folder, Console.WriteLine).ConfigureAwait(false) ? 0 : 1;
    }

    /// <summary>The programs as they ship; null when publishing one failed, which then has said why.</summary>
    internal static async Task<Programs?> ProgramsAsync(bool isPublished, bool withWindows)
    {
        if (!isPublished && !await PublishAsync(withWindows).ConfigureAwait(false))
        {
            return null;
        }

        return new Programs(
            Published("agent-linux-x64", "nodeagent"), Published("aggregator-linux-x64", "aggregator"), Published("nodectl-linux-x64", "nodectl"),
            withWindows ? Published("agent-win-x64", "nodeagent.exe") : null, await CompletionsAsync().ConfigureAwait(false));
    }

    private static async Task<bool> PublishAsync(bool withWindows)
    {
        List<(string Project, string Name, string Runtime)> wanted =
        [
            ("agent/NodeAgent.Agent", "agent", "linux-x64"), ("aggregator/NodeAgent.Aggregator", "aggregator", "linux-x64"), ("ctl/NodeAgent.Ctl", "nodectl", "linux-x64"),
        ];
        if (withWindows)
        {
            wanted.Add(("agent/NodeAgent.Agent", "agent", "win-x64"));
        }

        foreach ((string project, string name, string runtime) in wanted)
        {
            if (await Shell.PublishAsync(project, name, runtime).ConfigureAwait(false) != 0)
            {
                return false;
            }
        }

        return true;
    }

    private static string Published(string folder, string file) => Path.Combine(Repository.Root, "artifacts", "publish", folder, file);

    // nodectl itself knows them; the managed program, because a published one of another system would not run here.
    private static async Task<Dictionary<string, string>> CompletionsAsync()
    {
        Dictionary<string, string> scripts = [];
        foreach (string shell in new[] { "bash", "zsh", "fish" })
        {
            ProcessStartInfo start = new("dotnet", [Repository.CtlProgram, "completion", shell]) { RedirectStandardOutput = true };
            using Process nodectl = Process.Start(start)!;
            scripts[shell] = await nodectl.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
            await nodectl.WaitForExitAsync().ConfigureAwait(false);
        }

        return scripts;
    }
}
