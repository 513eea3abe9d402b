using System.Formats.Tar;
using System.IO.Compression;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary><c>./build.sh pack</c>: the programs as they ship, one archive a platform.</summary>
internal static class PackStep
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length > 0)
        {
            Console.Error.WriteLine($"pack takes no argument; got '{arguments[0]}'");
            return 2;
        }

        string folder = Path.Combine(Repository.Root, "artifacts", "pack");
        Directory.CreateDirectory(folder);
        foreach (string runtime in new[] { "linux-x64", "win-x64" })
        {
            int code = await Shell.PublishAgentAsync(runtime).ConfigureAwait(false);
            if (code != 0)
            {
                return code;
            }

            Pack(Path.Combine(Repository.Root, "artifacts", "publish", $"agent-{runtime}"), folder, $"nodeagent-{runtime}", zip: runtime.StartsWith("win", StringComparison.Ordinal));
        }

        foreach ((string project, string name) in new[] { ("aggregator/NodeAgent.Aggregator", "aggregator"), ("ctl/NodeAgent.Ctl", "nodectl") })
        {
            string output = Path.Combine(Repository.Root, "artifacts", "publish", $"{name}-linux-x64");
            int code = await Shell.DotnetAsync("publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "-v", "quiet", "--nologo",
                "-p:PublishShape=single", "-o", output).ConfigureAwait(false);
            if (code != 0)
            {
                return code;
            }

            Pack(output, folder, $"{name}-linux-x64", zip: false);
        }

        return 0;
    }

    private static void Pack(string source, string folder, string name, bool zip)
    {
        string target = Path.Combine(folder, name + (zip ? ".zip" : ".tar.gz"));
        File.Delete(target);
        if (zip)
        {
            ZipFile.CreateFromDirectory(source, target, CompressionLevel.Optimal, includeBaseDirectory: false);
        }
        else
        {
            using GZipStream compressed = new(File.Create(target), CompressionLevel.Optimal);
            TarFile.CreateFromDirectory(source, compressed, includeBaseDirectory: false);
        }

        Console.WriteLine($"{Path.GetRelativePath(Repository.Root, target)}  {new FileInfo(target).Length / 1048576.0:0.0} MiB");
    }
}
