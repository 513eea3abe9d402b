using System.Globalization;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Backup;

/// <summary>The real programs: a backup while telemetry comes in, a look at it, a kill in the middle, a restore, and life after it.</summary>
public sealed class BackupTests
{
    private const int Kill = 9;
    private const int Denied = 5;

    [Fact]
    public async Task Aggregator_BackedUpWhileItWorksAndRestored_HasWhatItHad()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await StartAsync(folder.Path);
        await WaitForTicksAsync(pair, 3);
        (int code, string output) = await pair.CtlAsync("backup", "b1");
        Assert.Equal((Denied, true), (code, output.Contains("Admin/Backup", StringComparison.Ordinal))); // an operator is no administrator
        await BackupAsync(folder.Path, pair, "b1", 0);
        double before = await WaitForTicksAsync(pair, 3);
        Assert.Contains("sound; every checksum", await RunAsync(0, "verify", Path.Combine(folder.Path, "backups", "b1")), StringComparison.Ordinal);
        Assert.Contains("is in use by process", await RunAsync(4, "verify", "--state", StateOf(folder.Path)), StringComparison.Ordinal);

        Assert.True(await pair.Aggregator!.StopAsync(LocalPair.StopLimit));
        Assert.Contains("sound; every checksum", await RunAsync(0, "verify", "--state", StateOf(folder.Path)), StringComparison.Ordinal);
        Assert.Contains("--force", await RunAsync(2, "restore", Path.Combine(folder.Path, "backups", "b1"), "--state", StateOf(folder.Path)), StringComparison.Ordinal);
        await RunAsync(0, "restore", Path.Combine(folder.Path, "backups", "b1"), "--state", StateOf(folder.Path), "--force");
        pair.Aggregator.Dispose();
        await pair.StartAggregatorAsync();
        double oldest = await OldestAsync(pair);
        Assert.True(oldest < before, $"the restored aggregator begins with tick {oldest}, the backup came before tick {before}");
        await WaitForTicksAsync(pair, before + 1); // and the agent goes on
    }

    [Fact]
    public async Task Aggregator_KilledWhileItBacksUp_StartsAgainAndWhatIsLeftIsNoBackup()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await StartAsync(folder.Path);
        await WaitForTicksAsync(pair, 2);
        for (int round = 0; round < 4; round++)
        {
            string name = $"k{round}";
            Task<(int ExitCode, string Output)> asking = AdminAsync(folder.Path, pair, "backup", name);
            string partial = Path.Combine(folder.Path, "backups", name + ".partial");
            await Waiting.ForAsync("the backup to begin", TimeSpan.FromSeconds(20), () =>
                Task.FromResult(File.Exists(partial) || File.Exists(Path.Combine(folder.Path, "backups", name)) ? name : null));
            pair.Aggregator!.Signal(Kill);
            Assert.True(await pair.Aggregator.WaitForExitAsync(LocalPair.StopLimit));
            await asking;
            bool isWhole = File.Exists(Path.Combine(folder.Path, "backups", name));
            await RunAsync(isWhole ? 0 : 7, "verify", Path.Combine(folder.Path, "backups", name));
            if (File.Exists(partial))
            {
                (int code, string output) = await RealProcess.RunAsync(Repository.AggregatorProgram, ["verify", partial], TimeSpan.FromSeconds(30));
                Assert.True(code != 0, output);
            }

            await RunAsync(0, "verify", "--state", StateOf(folder.Path));
            pair.Aggregator.Dispose();
            await pair.StartAggregatorAsync();
        }

        await WaitForTicksAsync(pair, 2);
    }

    private static async Task<LocalPair> StartAsync(string folder)
    {
        LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
        {
            Folder = folder,
            Address = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, LocalPair.FreePort()),
            AggregatorSettings = [$"backup.directory={Path.Combine(folder, "backups")}"],
        });
        await MakeAdminAsync(folder);
        return pair;
    }

    internal static async Task MakeAdminAsync(string folder)
    {
        (int code, string output) = await RealProcess.RunAsync(
            Repository.CtlProgram, ["fleet", "issue", Path.Combine(folder, "fleet"), "admin", "boss"], TimeSpan.FromSeconds(30));
        Assert.True(code == 0, output);
    }

    private static async Task BackupAsync(string folder, LocalPair pair, string name, int expected)
    {
        (int code, string output) = await AdminAsync(folder, pair, "backup", name);
        Assert.True(code == expected, output);
    }

    internal static Task<(int ExitCode, string Output)> AdminAsync(string folder, LocalPair pair, params string[] arguments)
    {
        string identity = Directory.EnumerateFiles(Path.Combine(folder, "fleet"), "boss.crt", SearchOption.AllDirectories).Single();
        return RealProcess.RunAsync(
            Repository.CtlProgram,
            [.. arguments, "--server", $"https://{pair.Address}", "--ca", Path.Combine(folder, "fleet", "ca.crt"), "--cert", identity, "--key", Path.ChangeExtension(identity, ".key")],
            TimeSpan.FromSeconds(60));
    }

    internal static async Task<string> RunAsync(int expected, params string[] arguments)
    {
        (int code, string output) = await RealProcess.RunAsync(Repository.AggregatorProgram, arguments, TimeSpan.FromSeconds(60));
        Assert.True(code == expected, $"aggregator {string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }

    internal static string StateOf(string folder) => Path.Combine(folder, "aggregator-state");

    /// <summary>Until the aggregator has a newest tick of at least so many; returns it.</summary>
    private static async Task<double> WaitForTicksAsync(LocalPair pair, double least)
    {
        string found = await Waiting.ForAsync($"tick {least}", TimeSpan.FromSeconds(60), async () =>
        {
            double? ticks = await NumberAsync(pair, "nodeagent_ticks_total");
            return ticks >= least ? ticks.Value.ToString("R", CultureInfo.InvariantCulture) : null;
        });
        return double.Parse(found, CultureInfo.InvariantCulture);
    }

    private static async Task<double> OldestAsync(LocalPair pair)
    {
        string found = await Waiting.ForAsync("the restored samples", TimeSpan.FromSeconds(60), async () =>
            (await NumberAsync(pair, "min_over_time(nodeagent_ticks_total[1h])"))?.ToString("R", CultureInfo.InvariantCulture));
        return double.Parse(found, CultureInfo.InvariantCulture);
    }

    private static async Task<double?> NumberAsync(LocalPair pair, string expression)
    {
        (int code, string output) = await pair.CtlAsync("query", expression, "-o", "json");
        if (code != 0)
        {
            return null;
        }

        using System.Text.Json.JsonDocument document = System.Text.Json.JsonDocument.Parse(output);
        System.Text.Json.JsonElement items = document.RootElement.GetProperty("items");
        return items.GetArrayLength() == 0 ? null : items[0].GetProperty("value").GetDouble();
    }
}
