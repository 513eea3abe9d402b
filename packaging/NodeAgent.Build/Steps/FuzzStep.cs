using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Steps;

/// <summary><c>./build.sh fuzz</c>: hands over to NodeAgent.Fuzz.</summary>
internal static class FuzzStep
{
    internal static async Task<int> RunAsync(string[] arguments)
    {
        int built = await Shell.BuildAsync("tests/NodeAgent.Fuzz").ConfigureAwait(false);
        return built != 0 ? built : await Shell.RunAsync("dotnet", [Repository.Program("NodeAgent.Fuzz", "NodeAgent.Fuzz"), .. arguments]).ConfigureAwait(false);
    }
}
