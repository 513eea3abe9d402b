using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Tests.Systemd;

/// <summary>The units by systemd's own judgement.</summary>
public sealed class UnitTests : IDisposable
{
    private readonly string _scratch = Directory.CreateTempSubdirectory("nodeagent-units").FullName;

    public static TheoryData<string> Units => [.. Directory.EnumerateFiles(Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    private static string Folder { get; } = Path.Combine(Repository.Root, "packaging", "systemd");

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    [Theory]
    [MemberData(nameof(Units))]
    public void Verify_OfEveryUnit_FindsNothing(string unit)
    {
        foreach (string file in Directory.EnumerateFiles(Folder))
        {
            // The programs and pages of a machine that has the package installed are not this test's business.
            string text = File.ReadAllText(file);
            text = text.Replace("/usr/bin/nodeagent ", "/bin/true ", StringComparison.Ordinal).Replace("/usr/bin/aggregator ", "/bin/true ", StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(_scratch, Path.GetFileName(file)), text);
        }

        Judge.AssertClean("systemd-analyze", "systemd", "verify", "--man=no", "--recursive-errors=no", Path.Combine(_scratch, unit));
    }

    [Theory]
    [InlineData("nodeagent.service", false, 15)]
    [InlineData("nodeagent.service", true, 18)]
    [InlineData("nodeagent-actuator.service", false, 20)]
    [InlineData("nodeagent-aggregator.service", false, 15)]
    public void Security_OfEveryService_IsWithinItsScore(string unit, bool withDropIns, int tenths)
    {
        string file = Path.Combine(_scratch, unit);
        string[] parts = withDropIns ? [.. Directory.EnumerateFiles(Path.Combine(Folder, unit + ".d")).Order(StringComparer.Ordinal)] : [];
        File.WriteAllText(file, string.Join('\n', parts.Prepend(Path.Combine(Folder, unit)).Select(File.ReadAllText)));

        (int code, string output) = Judge.Run("systemd-analyze", "systemd", "security", "--offline=true", $"--threshold={tenths}", file);

        string exposure = output.TrimEnd().Split('\n')[^1];
        Assert.Contains("Overall exposure level", exposure, StringComparison.Ordinal);
        Assert.True(code == 0, $"more than {tenths / 10.0}: {exposure}");
    }

    [Fact]
    public void Units_MemoryDenyWriteExecute_IsNeverSet()
    {
        string[] lines = [.. Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories).SelectMany(File.ReadAllLines)];

        Assert.DoesNotContain(lines, line => line.StartsWith("MemoryDenyWriteExecute", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("NoNewPrivileges=yes", StringComparison.Ordinal));
    }

    [Fact]
    public void Services_Type_IsNotifyWithAWatchdog()
    {
        foreach (string service in Directory.EnumerateFiles(Folder, "*.service"))
        {
            string text = File.ReadAllText(service);
            Assert.Contains("\nType=notify\n", text, StringComparison.Ordinal);
            Assert.Contains("\nWatchdogSec=", text, StringComparison.Ordinal);
            Assert.Contains("\nRestartPreventExitStatus=2 4\n", text, StringComparison.Ordinal);
        }
    }
}
