using System.Security.Cryptography;
using NodeAgent.Commands;
using NodeAgent.Commands.Envelope;
using NodeAgent.Ctl.Tests.Harness;
using NodeAgent.V1;

namespace NodeAgent.Ctl.Tests.Commands;

public sealed class CommandingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("nodectl-key-").FullName;

    private string KeyFile => Path.Combine(_folder, "operator.key");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_SignsWhatItSays_ForTheNodeThatItWorksOutItself()
    {
        await new Bench().RunAsync(["key", "create", KeyFile]);
        Bench bench = new();
        bench.Fleet.RolloutAnswer.Succeeded = 2;
        Assert.Equal(ExitCode.Ok, await bench.RunAsync(
            ["run", "gpu_power_limit", "--on", "gpu-01", "--set", "gpu=GPU-1", "--set", "milliwatts=400000", "--ttl", "1h", "--reason", "too warm", "--ticket", "INC-7", "--sign-with", KeyFile]));

        Assert.Equal(("gpu-01", "gpu_power_limit"), (bench.Fleet.Last<PrepareRequest>().Selector, bench.Fleet.Last<PrepareRequest>().Kind));
        SignedCommand envelope = SignedCommand.Parser.ParseFrom(Assert.Single(bench.Fleet.Last<SubmitRequest>().Targets).Envelope);
        V1.Command command = V1.Command.Parser.ParseFrom(envelope.Payload);
        Assert.Equal(("GPU-1", 400_000u), (command.GpuPowerLimit.Gpu, command.GpuPowerLimit.Milliwatts));
        Assert.Equal((7ul, 3_600_000ul, "too warm", "INC-7", RiskClass.R1), (command.Sequence, command.TtlMs, command.Reason, command.Ticket, command.Risk));
        Assert.Equal(CommandIdentity.AgentOf("local", "gpu-01", new byte[16]), CommandEnvelope.ToGuid(command.AgentId));
        Assert.True(command.NotAfterUnixMs - command.NotBeforeUnixMs <= 900_000);
        using ECDsa key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(KeyFile));
        Assert.True(TrustedKey.TryRead("me", key.ExportSubjectPublicKeyInfo(), RiskClass.R1, out TrustedKey? trusted));
        Assert.True(trusted.Verifies(CommandEnvelope.Digest(CommandIdentity.FleetOf("local"), envelope.Payload.Span), envelope.Signatures[0].Signature.Span));
    }

    [Fact]
    public async Task Run_ForAnotherFleet_SignsNothing()
    {
        await new Bench().RunAsync(["key", "create", KeyFile]);
        Bench bench = new();
        bench.Fleet.PrepareAnswer.Targets[0].Fleet = "production";

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["run", "no_op", "--on", "all", "--reason", "x", "--sign-with", KeyFile]));

        Assert.Contains("fleet 'production'", bench.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(bench.Fleet.Requests, request => request is SubmitRequest);
    }

    [Theory]
    [InlineData("there is no such command", "run", "rebot", "--on", "all")]
    [InlineData("no parameter 'watts'", "run", "gpu_power_limit", "--on", "all", "--set", "watts=1")]
    [InlineData("no whole number", "run", "gpu_power_limit", "--on", "all", "--set", "milliwatts=many")]
    [InlineData("1 to 10000000 mW", "run", "gpu_power_limit", "--on", "all", "--set", "gpu=a", "--set", "milliwatts=99999999")]
    [InlineData("say --yes", "run", "reboot", "--on", "all")]
    public async Task Run_WhatCannotBe_IsSaidBeforeAnybodyIsAsked(string why, params string[] command)
    {
        Bench bench = new();
        Assert.Equal(ExitCode.Usage, await bench.RunAsync(command));
        Assert.Contains(why, bench.Errors, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(bench.Fleet.Requests);
    }

    [Fact]
    public async Task Key_ThatOthersCanRead_SignsNothing()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        await new Bench().RunAsync(["key", "create", KeyFile]);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Bench bench = new();

        Assert.Equal(ExitCode.Failure, await bench.RunAsync(["run", "no_op", "--on", "all", "--reason", "x", "--sign-with", KeyFile]));
        Assert.Contains("others may read", bench.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rollout_InEveryForm_SaysEachNodesEnd()
    {
        foreach (string form in new[] { "table", "wide", "json", "jsonl", "csv" })
        {
            Bench bench = new();
            await bench.RunAsync(["rollouts", SampleRollout.Id.ToString(), "-o", form]);
            GoldenFile.Check($"rollout.{form}.txt", bench.Output);
        }
    }

    [Fact]
    public async Task Policy_Explained_NamesTheRuleAndWhoMaySign()
    {
        await new Bench().RunAsync(["key", "create", KeyFile]);
        Bench shown = new();
        await shown.RunAsync(["key", "show", KeyFile]);
        string policy = Path.Combine(_folder, "policy.json");
        await File.WriteAllTextAsync(
            policy,
            $$"""{ "version": 1, "trust": [ {{shown.Output}} ], "commands": { "service_restart": { "allow": true, "values": { "unit": ["slurmd.service"] } } } }""",
            TestContext.Current.CancellationToken);

        Bench allowed = new();
        Assert.Equal(ExitCode.Ok, await allowed.RunAsync(["policy", "explain", "service_restart", "--set", "unit=slurmd.service", "--file", policy]));
        Assert.Contains("1 must sign", allowed.Output, StringComparison.Ordinal);
        Bench refused = new();
        Assert.Equal(ExitCode.Failure, await refused.RunAsync(["policy", "explain", "service_restart", "--set", "unit=sshd.service", "--file", policy]));
        Assert.Contains("commands.service_restart.values.unit", refused.Output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failure, await new Bench().RunAsync(["policy", "explain", "reboot", "--file", policy]));
    }

    [Fact]
    public async Task SavedCommands_SignedByASecondPersonOffline_AreSubmittedWithBothSignatures()
    {
        string second = Path.Combine(_folder, "ben.key");
        string file = Path.Combine(_folder, "commands");
        await new Bench().RunAsync(["key", "create", KeyFile]);
        await new Bench().RunAsync(["key", "create", second]);
        Assert.Equal(ExitCode.Ok, await new Bench().RunAsync(["run", "reboot", "--on", "all", "--reason", "x", "--yes", "--sign-with", KeyFile, "--save", file]));
        Bench signing = new();
        Assert.Equal(ExitCode.Ok, await signing.RunAsync(["sign", file, "--fleet", "local", "--sign-with", second]));
        Assert.Contains("gpu-01: reboot", signing.Errors, StringComparison.Ordinal);
        Assert.Empty(signing.Fleet.Requests);

        Bench bench = new();
        await bench.RunAsync(["submit", file]);
        SignedCommand envelope = SignedCommand.Parser.ParseFrom(bench.Fleet.Last<SubmitRequest>().Targets[0].Envelope);
        Assert.Equal(2, envelope.Signatures.Select(signature => signature.KeyId).Distinct().Count());
    }
}
