using NodeAgent.Hosting.Lifetime;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Hosting.Tests.Programs;

public sealed class ServiceProgramTests
{
    private const string Required = "uplink.aggregator=https://a:1";

    private const int Hangup = 1; // SIGHUP

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private static readonly string File = typeof(ServiceProgramTests).Assembly.Location;

    [Theory]
    [InlineData("version", "sample 1.2.3")]
    [InlineData("--version", "sample 1.2.3")]
    [InlineData("help", "usage: sample COMMAND")]
    [InlineData("", "usage: sample COMMAND")]
    public async Task Main_AQuestion_IsAnsweredWithZero(string arguments, string answer)
    {
        (int exitCode, string output) = await Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(0, exitCode);
        Assert.Contains(answer, output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dance", "sample: unknown command 'dance'; `sample help` lists what there is")]
    [InlineData("run --fast", "sample: unknown option '--fast'; `sample help` lists what there is")]
    [InlineData("run --config", "sample: --config needs a value; `sample help` lists what there is")]
    [InlineData("run --config /nonexistent/sample.json", "sample: /nonexistent/sample.json: does not exist")]
    public async Task Main_AWrongCommandLine_IsOneLineAndTheCodeForUsage(string arguments, string message)
    {
        (int exitCode, string output) = await Run(arguments.Split(' '));
        Assert.Equal(((int)ExitCode.Usage, message), (exitCode, output));
    }

    [Fact]
    public async Task Run_ABadFile_TellsEveryErrorAndDoesNotStart()
    {
        string file = Path.Combine(Repository.Root, "tests", "fixtures", "config", "sample", "unknown-keys.bad.json");
        (int exitCode, string output) = await Run("run", "--config", file);
        Assert.Equal((int)ExitCode.Usage, exitCode);
        string[] lines = output.Split('\n');
        Assert.Equal(8, lines.Length);
        Assert.Equal($"sample: {file}:5:5: unknown key 'samplng.interval'; did you mean 'sampling.interval'?", lines[0]);
    }

    [Fact]
    public async Task ConfigShow_WithSources_NamesEachPlace()
    {
        (int exitCode, string output) = await RealProcess.RunAsync(File, [SampleService.Argument, "config", "show", "--sources", "--set", Required], Limit,
            new Dictionary<string, string> { ["SAMPLE_SAMPLING__INTERVAL"] = "5s" });
        Assert.Equal(0, exitCode);
        Assert.Contains("\"interval\": \"5s\", // environment SAMPLE_SAMPLING__INTERVAL", output, StringComparison.Ordinal);
        Assert.Contains("\"aggregator\": \"https://a:1\", // --set", output, StringComparison.Ordinal);
        Assert.Contains("\"per_core\": false, // default", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConfigExample_SavedAsAFile_IsAGoodConfiguration()
    {
        string folder = Directory.CreateTempSubdirectory("nodeagent-config-").FullName;
        string file = Path.Combine(folder, "sample.json");
        (int exitCode, string example) = await Run("config", "example");
        Assert.Equal(0, exitCode);
        await System.IO.File.WriteAllTextAsync(file, example);

        (int exitCodeOfCheck, string output) = await Run("run", "--check-config", "--config", file);
        Directory.Delete(folder, recursive: true);
        Assert.Equal((0, "sample: the configuration is good"), (exitCodeOfCheck, output));
    }

    [Fact]
    public async Task Run_UntilASignal_EndsWithZero()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill(2)");
        using RealProcess service = RealProcess.Start("sample", File, [SampleService.Argument, "run", "--set", Required]);
        await service.WaitForLineAsync(line => line.Contains("event=UplinkConnected id=4001 peer=a ", StringComparison.Ordinal), Limit);
        Assert.True(await service.StopAsync(Limit));
        Assert.Equal(0, service.ExitCode);
    }

    [Fact]
    public async Task Run_AnExceptionFromTheService_IsLoggedAndTheCodeIsFailure()
    {
        (int exitCode, string output) = await Run("run", "--set", Required, "--set", "uplink.name=fails");
        Assert.Equal((int)ExitCode.Failure, exitCode);
        Assert.Contains(
            "level=error event=ProgramFailed id=1030 error=\"no such disk\" error_type=InvalidOperationException", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ReloadOfAWrongFile_KeepsTheOldConfigurationAndTellsWhy()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no SIGHUP");
        string folder = Directory.CreateTempSubdirectory("nodeagent-reload-").FullName;
        string file = Path.Combine(folder, "sample.json");
        await System.IO.File.WriteAllTextAsync(file, "{ \"uplink\": { \"aggregator\": \"https://a:1\" } }");
        using RealProcess service = RealProcess.Start("sample", File, [SampleService.Argument, "run", "--config", file]);
        await service.WaitForLineAsync(line => line.Contains("event=UplinkConnected", StringComparison.Ordinal), Limit);

        await System.IO.File.WriteAllTextAsync(file, "{ \"uplnk\": {} }");
        service.Signal(Hangup);
        string refused = await service.WaitForLineAsync(line => line.Contains("event=ConfigurationRefused", StringComparison.Ordinal), Limit);
        Assert.Contains("did you mean 'uplink'?", refused, StringComparison.Ordinal);

        await System.IO.File.WriteAllTextAsync(file, "{ \"uplink\": { \"aggregator\": \"https://b:2\" }, \"log\": { \"level\": \"debug\" } }");
        service.Signal(Hangup);
        string applied = await service.WaitForLineAsync(line => line.Contains("event=ConfigurationReloaded", StringComparison.Ordinal), Limit);
        Assert.Contains("changed=2 applied=log.level", applied, StringComparison.Ordinal);
        string waits = await service.WaitForLineAsync(line => line.Contains("event=RestartNeeded", StringComparison.Ordinal), Limit);
        Assert.Contains("settings=uplink.aggregator", waits, StringComparison.Ordinal);
        Assert.True(await service.StopAsync(Limit));
        Directory.Delete(folder, recursive: true);
    }

    private static Task<(int ExitCode, string Output)> Run(params string[] arguments) =>
        RealProcess.RunAsync(File, [SampleService.Argument, .. arguments], Limit);
}
