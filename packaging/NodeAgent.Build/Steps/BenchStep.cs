using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary><c>./build.sh bench NAME</c>: builds what is measured, then hands over to NodeAgent.Benchmarks.</summary>
internal static class BenchStep
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        int built = await Shell.BuildAsync("tests/NodeAgent.Benchmarks").ConfigureAwait(false);
        if (built == 0 && arguments is ["agent" or "gpu", ..])
        {
            built = await Shell.PublishAgentAsync("linux-x64").ConfigureAwait(false);
        }

        return built != 0 ? built : await Shell.RunAsync("dotnet", [Repository.Program("NodeAgent.Benchmarks", "NodeAgent.Benchmarks"), .. arguments]).ConfigureAwait(false);
    }
}
