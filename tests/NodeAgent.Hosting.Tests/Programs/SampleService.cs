using NodeAgent.Hosting.Lifetime;
using NodeAgent.Hosting.Programs;
using NodeAgent.Hosting.Tests.Configuration;
using NodeAgent.Hosting.Tests.Logs;

namespace NodeAgent.Hosting.Tests.Programs;

/// <summary>A service as the agent's Program.cs composes it, run as a process of its own.</summary>
internal static class SampleService
{
    public const string Argument = "--service";

    public static Task<int> RunAsync(string[] arguments) => new ServiceProgram<SampleOptions>(
        "sample", "a service for tests", "1.2.3", "SAMPLE_", SampleOptions.Settings, options => options.Log, RunAsync).MainAsync(arguments);

    private static async Task<ExitCode> RunAsync(ServiceContext<SampleOptions> context)
    {
        context.Log.CreateLogger("NodeAgent.Sample").UplinkConnected(context.Options.Uplink.Aggregator!.Host, 1);
        if (context.Options.Uplink.Name == "fails")
        {
            throw new InvalidOperationException("no such disk");
        }

        TaskCompletionSource stopped = new();
        using CancellationTokenRegistration _ = context.Lifetime.Stopping.Register(stopped.SetResult);
        await stopped.Task;
        return ExitCode.Ok;
    }
}
