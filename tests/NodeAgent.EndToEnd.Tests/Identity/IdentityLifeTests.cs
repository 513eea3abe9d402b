using System.Diagnostics;
using NodeAgent.Testing.Processes;

namespace NodeAgent.EndToEnd.Tests.Identity;

/// <summary>An identity's life with the real programs: enrolled by a token, renewed, copied, revoked.</summary>
public sealed class IdentityLifeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Agent_RenewsWhileItSends_AndACopyOfItsDiskShutsBothOut()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions
        {
            Folder = folder.Path,
            Node = "life",
            AggregatorSettings = ["identity.certificate_life=24s", "identity.stream_life=6s"],
        });
        Assert.Contains(pair.Agent!.Lines, line => line.Contains("event=AgentEnrolled", StringComparison.Ordinal));
        string copy = Path.Combine(folder.Path, "copy");
        CopyFiles(Path.Combine(folder.Path, "identity"), copy);

        await pair.Agent.WaitForLineAsync(line => line.Contains("event=AgentRenewed", StringComparison.Ordinal), Limit);
        await pair.Agent.WaitForLineAsync(line => line.Contains("event=AgentRenewed", StringComparison.Ordinal) && line.Contains("generation=3", StringComparison.Ordinal), Limit);
        Assert.DoesNotContain(pair.Agent.Lines, line => line.Contains("event=UplinkLost", StringComparison.Ordinal));
        (int listed, string identities) = await pair.AdminAsync("identities", "life", "-o", "csv");
        Assert.True(listed == 0 && identities.Contains("active", StringComparison.Ordinal), identities);

        using RealProcess clone = RealProcess.Start("clone", Repository.AgentProgram,
        [
            "run", "--set", $"uplink.aggregator=https://{pair.Address}", "--set", $"identity.directory={copy}", "--set", $"spool.directory={Path.Combine(folder.Path, "clone-spool")}",
        ], new Dictionary<string, string>(), _ => { });
        await pair.Aggregator!.WaitForLineAsync(line => line.Contains("event=IdentityCloned", StringComparison.Ordinal), Limit);
        await pair.Agent.WaitForLineAsync(line => line.Contains("event=UplinkLost", StringComparison.Ordinal), TimeSpan.FromSeconds(10));
        (listed, identities) = await pair.AdminAsync("identities", "life", "-o", "csv");
        Assert.True(listed == 0 && identities.Contains("quarantined", StringComparison.Ordinal), identities);
        await clone.StopAsync(LocalPair.StopLimit);
    }

    [Fact]
    public async Task Revoke_OfALiveAgent_EndsItsStreamWithinFiveSecondsAndBothSidesSayWhy()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, Node = "stolen" });
        (int code, string output) = await pair.AdminAsync("revoke", "stolen", "--reason", "e2e");
        Stopwatch since = Stopwatch.StartNew();
        Assert.True(code == 0, output);
        await pair.Agent!.WaitForLineAsync(line => line.Contains("event=UplinkLost", StringComparison.Ordinal), TimeSpan.FromSeconds(10));
        Assert.InRange(since.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(5));

        await pair.Aggregator!.WaitForLineAsync(line => line.Contains("event=CertificateRefused", StringComparison.Ordinal) && line.Contains("was revoked", StringComparison.Ordinal), Limit);

        // Started anew, it says for itself what can be known there.
        await pair.Agent.StopAsync(LocalPair.StopLimit);
        pair.Agent.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => pair.StartAgentAsync().WaitAsync(TimeSpan.FromSeconds(8), TimeProvider.System));
        string lost = await pair.Agent!.WaitForLineAsync(line => line.Contains("event=UplinkLost", StringComparison.Ordinal), Limit);
        Assert.Contains("revoked or quarantined", lost, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Agent_WithATokenThatWasUsed_EndsAndSaysSo()
    {
        using ScratchFolder folder = new();
        await using LocalPair pair = await LocalPair.StartAsync(new LocalPairOptions { Folder = folder.Path, Node = "first" });
        string token = Path.Combine(folder.Path, "join.token");
        (int code, string output) = await RealProcess.RunAsync(
            Repository.AgentProgram,
            ["enrol", "--token-file", token, "--server", pair.EnrolmentAddress.ToString(), "--directory", Path.Combine(folder.Path, "second")], Limit);
        Assert.Equal(6, code);
        Assert.Contains("the token is not good", output, StringComparison.Ordinal);
        Assert.Contains(pair.Aggregator!.Lines, line => line.Contains("event=JoinTokenReused", StringComparison.Ordinal));
        Assert.DoesNotContain(pair.Aggregator.Lines.Concat(pair.Agent!.Lines), line => line.Contains(File.ReadAllText(token).Split('.')[2], StringComparison.Ordinal)); // the secret, anywhere
    }

    private static void CopyFiles(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }
}
