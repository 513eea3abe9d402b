using System.Security.Cryptography;
using System.Text;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Catalogue;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Tests.Policy;

public sealed class PolicyTests
{
    [Fact]
    public void Default_AllowsReadingAndNothingElse()
    {
        foreach (CommandDescription row in CommandCatalogue.All)
        {
            PolicyDecision decision = ActuationPolicy.Default.Decide(Example(row), row);
            Assert.True(decision.Allowed == (row.Risk == RiskClass.R0), $"{row.Name}: {decision}");
        }
    }

    [Theory]
    [InlineData("gpu-power", "commands.gpu_power_limit.bounds.milliwatts.max")]
    [InlineData("unit", "commands.service_restart.values.unit")]
    [InlineData("ttl", "commands.gpu_power_limit.max_ttl_seconds")]
    [InlineData("denied", "commands.reboot.allow")]
    [InlineData("unlisted", "commands.cgroup_limit.values.path")]
    [InlineData("no rule", "default")]
    public void Decide_Refusal_NamesTheRuleThatDecided(string what, string rule)
    {
        ActuationPolicy policy = Parse("""
            { "version": 1, "commands": {
              "gpu_power_limit": { "allow": true, "bounds": { "milliwatts": { "min": 200000, "max": 600000 } }, "max_ttl_seconds": 3600 },
              "service_restart": { "allow": true, "values": { "unit": ["slurmd.service"] } },
              "cgroup_limit": { "allow": true },
              "reboot": { "allow": false, "approvals": 0 } } }
            """);
        Command command = what switch
        {
            "gpu-power" => new Command { GpuPowerLimit = new GpuPowerLimit { Gpu = "GPU-1", Milliwatts = 600_001 } },
            "ttl" => new Command { GpuPowerLimit = new GpuPowerLimit { Gpu = "GPU-1", Milliwatts = 300_000 }, TtlMs = 3_600_001 },
            "unit" => new Command { ServiceRestart = new ServiceRestart { Unit = "sshd.service" } },
            "denied" => new Command { Reboot = new Reboot() },
            "unlisted" => new Command { CgroupLimit = new CgroupLimit { Path = "/slurm" } },
            _ => new Command { ProcessKill = new ProcessKill() },
        };

        PolicyDecision decision = policy.Decide(command, Row(command));

        Assert.Equal((false, rule), (decision.Allowed, decision.Rule));
    }

    [Fact]
    public void Decide_PolicyCanAskForMorePeopleAndNeverForFewer()
    {
        ActuationPolicy policy = Parse("""
            { "version": 1, "commands": { "reboot": { "allow": true, "approvals": 0 }, "gpu_persistence": { "allow": true, "approvals": 2 } } }
            """);

        Assert.Equal(2, Decide(policy, new Command { Reboot = new Reboot() }).Approvals);
        Assert.Equal(2, Decide(policy, new Command { GpuPersistence = new GpuPersistence() }).Approvals);
        Assert.Equal(0, Decide(policy, new Command { Reboot = new Reboot(), DryRun = true }).Approvals);
    }

    [Theory]
    [InlineData("/slurm/job_1", true)]
    [InlineData("/slurm/job_1/step_0", true)]
    [InlineData("/slurm", false)]
    [InlineData("/slurmx/job_1", false)]
    [InlineData("/slurm/../system.slice", false)]
    public void Decide_PathPattern_StandsForWhatIsBelow(string path, bool allowed)
    {
        ActuationPolicy policy = Parse("""{ "version": 1, "commands": { "cgroup_limit": { "allow": true, "values": { "path": ["/slurm/*"] } } } }""");

        Assert.Equal(allowed, Decide(policy, new Command { CgroupLimit = new CgroupLimit { Path = path } }).Allowed);
    }

    [Fact]
    public void Limits_CannotBeRaisedAboveTheCeilings()
    {
        ActuationPolicy policy = Parse("""{ "version": 1, "commands": { "reboot": { "allow": true, "max_per_hour": 100000, "max_per_day": 100000 } } }""");

        Assert.Equal(new AttemptCap(4, 8), policy.CapOf(Row(new Command { Reboot = new Reboot() })));
    }

    [Theory]
    [InlineData("""{ "version": 2 }""", "version 2")]
    [InlineData("""{ }""", "version")]
    [InlineData("""{ "version": 1, "comands": {} }""", "comands")]
    [InlineData("""{ "version": 1, "version": 1 }""", "version")]
    [InlineData("""{ "version": 1, "commands": { "exec": { "allow": true } } }""", "no such command")]
    [InlineData("""{ "version": 1, "commands": { "reboot": { } } }""", "allow")]
    [InlineData("""{ "version": 1, "commands": { "reboot": { "allow": true, "bounds": { "watts": {} } } } }""", "no such parameter")]
    [InlineData("""{ "version": 1, "commands": { "service_restart": { "allow": true, "bounds": { "unit": {} } } } }""", "a text has values")]
    [InlineData("""{ "version": 1, "trust": [ { "owner": "anna", "public_key": "AAAA" } ] }""", "P-256")]
    [InlineData("""{ "version": 1, "diagnostics": { "x": { "argv": ["uptime"] } } }""", "absolute path")]
    [InlineData("""null""", "null is no policy")]
    [InlineData("""{ "version": 1, "trust": null }""", "trust")]
    [InlineData("""{ "version": 1, "trust": [ null ] }""", "null stands")]
    [InlineData("""{ "version": 1, "commands": { "reboot": null } }""", "null stands")]
    [InlineData("""{ "version": 1, "commands": { "service_restart": { "allow": true, "values": { "unit": [ null ] } } } }""", "null stands")]
    [InlineData("""{ "version": 1, "diagnostics": { "x": { "argv": [] } } }""", "absolute path")]
    [InlineData("", "line 1")]
    public void Parse_WrongFile_GivesNoPolicyAndSaysWhy(string json, string part)
    {
        Assert.False(PolicyReader.TryParse(Encoding.UTF8.GetBytes(json), out _, out IReadOnlyList<string> errors));
        Assert.Contains(errors, error => error.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_AnyBytes_ThrowNothingAndNoMutationAllowsWhatIsDenied()
    {
        byte[] good = Encoding.UTF8.GetBytes("""
            { "version": 1, "max_per_hour": 5, "commands": {
              "reboot": { "allow": false, "approvals": 2 },
              "gpu_power_limit": { "allow": true, "bounds": { "milliwatts": { "max": 600000 } }, "max_ttl_seconds": 60 } },
              "diagnostics": { "x": { "argv": ["/bin/true"] } }, "bundles": { "y": { "paths": ["/var/log"] } } }
            """);
#pragma warning disable CA5394, RS0030 // Not for secrets; the seed makes it the same every time.
        Random random = new(7);
#pragma warning restore RS0030
        int read = 0;
        for (int round = 0; round < 20_000; round++)
        {
            byte[] bytes = [.. good];
            for (int change = random.Next(1, 4); change > 0; change--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (!PolicyReader.TryParse(bytes, out ActuationPolicy? policy, out _)) continue;
            read++;
            Assert.False(Decide(policy, new Command { Reboot = new Reboot() }).Allowed, Encoding.UTF8.GetString(bytes));
        }
#pragma warning restore CA5394

        Assert.True(read > 100, $"{read} mutations were still policies: the others never came to the rules");
    }

    [Fact]
    public void Parse_KeyListedTwice_IsAnError()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string der = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

        Assert.False(PolicyReader.TryParse(
            Encoding.UTF8.GetBytes($$"""{ "version": 1, "trust": [ { "owner": "anna", "public_key": "{{der}}" }, { "owner": "ben", "public_key": "{{der}}" } ] }"""),
            out _, out IReadOnlyList<string> errors));
        Assert.Contains("listed twice", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_KeyOnAnotherCurve_IsAnError()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        string der = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());

        Assert.False(PolicyReader.TryParse(
            Encoding.UTF8.GetBytes($$"""{ "version": 1, "trust": [ { "owner": "anna", "public_key": "{{der}}" } ] }"""), out _, out _));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void Read_FileThatOthersMayWrite_GivesNoPolicy(UnixFileMode also)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "file modes are Unix's");
        using TrustedFolder folder = new();
        string path = folder.Put("policy.json", """{ "version": 1 }""");
        Assert.True(PolicyReader.TryRead(path, out _, out IReadOnlyList<string> errors, folder.Owner), string.Join('\n', errors));

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | also);

        Assert.False(PolicyReader.TryRead(path, out _, out errors, folder.Owner));
        Assert.Contains("others than its owner may write it", Assert.Single(errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LinkOrFolderThatOthersMayWrite_GivesNoPolicy()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "file modes are Unix's");
        using TrustedFolder folder = new();
        string path = folder.Put("policy.json", """{ "version": 1 }""");
        string link = Path.Combine(folder.Path, "link.json");
        File.CreateSymbolicLink(link, path);
        Assert.False(PolicyReader.TryRead(link, out _, out _, folder.Owner));

        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_111_111);
        Assert.False(PolicyReader.TryRead(path, out _, out _, folder.Owner));
    }

    [Fact]
    public void Read_NoFile_IsTheDefault()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "file modes are Unix's");
        Assert.True(PolicyReader.TryRead("/nonexistent/policy.json", out ActuationPolicy? policy, out _));
        Assert.Same(ActuationPolicy.Default, policy);
    }

    private static PolicyDecision Decide(ActuationPolicy policy, Command command) => policy.Decide(command, Row(command));

    private static CommandDescription Row(Command command) => CommandCatalogue.All.Single(row => row.Action == command.ActionCase);

    private static Command Example(CommandDescription row)
    {
        // Through the wire, so that a new action needs nothing here: an empty message in the action's field.
        byte[] bytes = [.. Varint(((uint)row.Action << 3) | 2), 0];
        return Command.Parser.ParseFrom(bytes);
    }

    private static byte[] Varint(uint value) => value < 128 ? [(byte)value] : [(byte)(value | 128), (byte)(value >> 7)];

    private static ActuationPolicy Parse(string json)
    {
        Assert.True(PolicyReader.TryParse(Encoding.UTF8.GetBytes(json), out ActuationPolicy? policy, out IReadOnlyList<string> errors), string.Join('\n', errors));
        return policy;
    }
}
