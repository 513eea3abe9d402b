using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Tests.Packaging;

/// <summary>Manual pages and scripts, each by the judge of its kind.</summary>
public sealed class ShippedTextTests
{
    public static TheoryData<string> ManPages => Files("packaging/man");

    public static TheoryData<string> Scripts =>
    [
        "build.sh", "packaging/slurm/slurm-healthcheck", .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "packaging", "deb"))
            .Where(file => Path.GetExtension(file) is ".postinst" or ".prerm" or ".postrm").Select(file => $"packaging/deb/{Path.GetFileName(file)}").Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(ManPages))]
    public void ManPage_ByMandoc_IsWellFormed(string page) => Judge.AssertClean("mandoc", "mandoc", "-Tlint", "-Wwarning", page);

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_ByShellcheck_IsWithoutFindings(string script) => Judge.AssertClean("shellcheck", "shellcheck", script);

    private static TheoryData<string> Files(string folder) =>
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, folder)).Where(file => Path.GetExtension(file) is ".1" or ".5" or ".8")
            .Select(file => $"{folder}/{Path.GetFileName(file)}").Order(StringComparer.Ordinal)];
}
