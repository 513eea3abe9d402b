using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NodeAgent.Ctl.Doctor;

namespace NodeAgent.Ctl.Tests.Doctor;

/// <summary>A host as files: each fault is named, with what helps.</summary>
[SupportedOSPlatform("linux")]
public sealed class HostExaminationTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("nodectl-host").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Run_WithoutAnAgent_ChecksNothing() => Assert.Empty(Run());

    [Fact]
    public void Run_OfAHealthyHost_FindsNothingWrong()
    {
        Healthy();

        Assert.DoesNotContain(Run(), check => check.Outcome is "fail");
        Assert.Contains(Run(), check => check is { Name: "nvml", Outcome: "ok" } && check.Detail.Contains("550.54.15", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("agent", "does not run")]
    [InlineData("nvml-module", "nvidia module is not loaded")]
    [InlineData("nvml-device", "no /dev/nvidiactl")]
    [InlineData("nvml-library", "no libnvidia-ml.so.1")]
    [InlineData("nvml-version", "the library is 550.90.07, the loaded driver 550.54.15")]
    [InlineData("policy-mode", "may be written by others")]
    [InlineData("policy-json", "is not JSON at line 1")]
    [InlineData("certificate", "cannot be read")]
    public void Run_OfAHostWithAFault_NamesItAndWhatHelps(string fault, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a Linux host's files");
        Healthy();
        switch (fault)
        {
            case "agent": File.WriteAllText(At("sys/fs/cgroup/system.slice/nodeagent.service/cgroup.procs"), ""); break;
            case "nvml-module": File.Delete(At("sys/module/nvidia/version")); break;
            case "nvml-device": File.Delete(At("dev/nvidiactl")); break;
            case "nvml-library": File.Delete(At("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1")); break;
            case "nvml-version":
                File.Delete(At("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"));
                Write("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.90.07", "");
                File.CreateSymbolicLink(At("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"), "libnvidia-ml.so.550.90.07");
                break;
            case "policy-mode": File.SetUnixFileMode(At("etc/nodeagent/policy.json"), UnixFileMode.UserRead | UnixFileMode.GroupWrite); break;
            case "policy-json": File.WriteAllText(At("etc/nodeagent/policy.json"), "{ allow }"); break;
            default: Write("etc/nodeagent/agent.crt", "no certificate"); break;
        }

        CheckItem check = Assert.Single(Run(), item => item.Outcome == "fail");
        Assert.Contains(expected, check.Detail, StringComparison.Ordinal);
        Assert.False(string.IsNullOrWhiteSpace(check.Fix));
    }

    [Theory]
    [InlineData(10, "ok", "valid for")]
    [InlineData(-2, "fail", "expired")]
    public void Run_OfAnEnrolledHost_LooksAtWhatTheAgentRenews(int hoursLeft, string outcome, string expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "a Linux host's files");
        Healthy();
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset end = TimeProvider.System.GetUtcNow().AddHours(hoursLeft);
        using X509Certificate2 certificate = new CertificateRequest("CN=gpu-01", key, HashAlgorithmName.SHA256).CreateSelfSigned(end.AddHours(-24), end);
        Write("var/lib/nodeagent/identity/identity.pem", key.ExportPkcs8PrivateKeyPem() + "\n" + certificate.ExportCertificatePem());
        CheckItem check = Assert.Single(Run(), item => item.Name == "agent-certificate");
        Assert.Equal(outcome, check.Outcome);
        Assert.Contains(expected, check.Detail, StringComparison.Ordinal);
    }

    private IReadOnlyList<CheckItem> Run() => new HostExamination(_root, TimeProvider.System).Run();

    private void Healthy()
    {
        Write("etc/nodeagent/nodeagent.json", "{}");
        Write("etc/nodeagent/policy.json", "{}");
        File.SetUnixFileMode(At("etc/nodeagent/policy.json"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Directory.CreateDirectory(At("run/systemd/system"));
        Write("sys/fs/cgroup/system.slice/nodeagent.service/cgroup.procs", "1234\n");
        Write("sys/bus/pci/devices/0000:17:00.0/vendor", "0x10de\n");
        Write("sys/bus/pci/devices/0000:17:00.0/class", "0x030200\n");
        Write("sys/module/nvidia/version", "550.54.15\n");
        Write("dev/nvidiactl", "");
        Write("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.550.54.15", "");
        File.CreateSymbolicLink(At("usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1"), "libnvidia-ml.so.550.54.15");
    }

    private string At(string path) => Path.Combine(_root, path);

    private void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(path))!);
        File.WriteAllText(At(path), text);
    }
}
