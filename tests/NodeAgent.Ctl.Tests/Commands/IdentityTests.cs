using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class IdentityTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodectl-token-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task TokenCreate_ForPeople_PrintsTheTokenAloneAndTheRestBeside()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["token", "create", "gpu-17", "--ttl", "30m"]));
        Assert.Equal(bench.Fleet.CreateTokenAnswer.Token + "\n", bench.Output);
        Assert.Contains("for agent/gpu-17, once, until", bench.Errors, StringComparison.Ordinal);
        Assert.Equal(("gpu-17", "agent", 1800u), (bench.Fleet.Last<CreateTokenRequest>().Name, bench.Fleet.Last<CreateTokenRequest>().Role, bench.Fleet.Last<CreateTokenRequest>().TtlSeconds));
    }

    [Fact]
    public async Task TokenCreate_IntoAFile_IsForItsOwnerOnlyAndPrintedNowhere()
    {
        string file = Path.Combine(_folder, "join.token");
        foreach (string format in new[] { "table", "json" })
        {
            File.Delete(file);
            Bench bench = new();
            Assert.Equal(ExitCode.Ok, await bench.RunAsync(["token", "create", "gpu-17", "--file", file, "-o", format]));
            Assert.Equal(bench.Fleet.CreateTokenAnswer.Token + "\n", File.ReadAllText(file));
            Assert.DoesNotContain(bench.Fleet.CreateTokenAnswer.Token, bench.Output + bench.Errors, StringComparison.Ordinal);
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }

        Bench again = new();
        Assert.Equal(ExitCode.Failure, await again.RunAsync(["token", "create", "gpu-17", "--file", file])); // never into a file that somebody else may hold open
    }

    [Fact]
    public async Task Revoke_OfANameAndRole_AsksForExactlyThat()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["revoke", "bob", "--role", "operator", "--reason", "left", "--unknown"]));
        Assert.Equal(new RevokeIdentityRequest { Name = "bob", Role = "operator", Reason = "left", Unknown = true }, bench.Fleet.Last<RevokeIdentityRequest>());
        Assert.Contains("connections ended: 1", bench.Errors, StringComparison.Ordinal);

        Assert.Equal(ExitCode.Usage, await bench.RunAsync(["revoke", "bob", "--role", "opertor"]));
        Assert.Contains("Did you mean 'operator'?", bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_TextThatASpreadsheetWouldRun_IsTextThere()
    {
        Bench bench = new();
        bench.Fleet.ListIdentitiesAnswer.Identities[0].Reason = "=cmd|' /C calc'!A0";
        bench.Fleet.ListIdentitiesAnswer.Identities[1].Reason = "@SUM(1,2)";
        bench.Fleet.ListIdentitiesAnswer.Identities[2].Reason = "-1.5";
        await bench.RunAsync(["identities", "-o", "csv"]);
        Assert.Contains(",'=cmd|' /C calc'!A0", bench.Output, StringComparison.Ordinal);
        Assert.Contains(",\"'@SUM(1,2)\"", bench.Output, StringComparison.Ordinal);
        Assert.Contains(",-1.5", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Table_TextThatMovesTheCursor_IsVisible()
    {
        Bench bench = new();
        await bench.RunAsync(["identities"]);
        Assert.DoesNotContain('\e', bench.Output);
        Assert.Contains("gpu-03\\x1b[31m", bench.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quarantine_Lifted_AsksForThat()
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["quarantine", "gpu-02", "--lift"]));
        Assert.True(bench.Fleet.Last<QuarantineIdentityRequest>().Lift);
    }

    [Fact]
    public async Task CaReload_DryRun_SaysWhatWouldBe()
    {
        Bench bench = new();
        bench.Fleet.ReloadCaAnswer = new ReloadCaResponse { After = bench.Fleet.DescribeCaAnswer.Ca, CutOff = 2, Changes = { "believes the root X too" } };
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(["ca", "reload", "--dry-run"]));
        Assert.True(bench.Fleet.Last<ReloadCaRequest>() is { DryRun: true, Force: false });
        Assert.Contains("would: believes the root X too", bench.Errors, StringComparison.Ordinal);
        Assert.Contains("cut off would be 2 members", bench.Errors, StringComparison.Ordinal);
    }
}
