using System.Formats.Tar;
using System.IO.Compression;
using NodeAgent.Build.Packaging;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Tests.Packaging;

/// <summary>Packages around a small program in place of ours; the judges look at everything but the programs.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly Release Sample = new("0.1.0", new DateTimeOffset(2026, 11, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly string _scratch = Directory.CreateTempSubdirectory("nodeagent-packages").FullName;

    public static TheoryData<string> Names => ["nodeagent", "nodeagent-aggregator", "nodectl"];

    public void Dispose() => Directory.Delete(_scratch, recursive: true);

    [Fact]
    public async Task Write_Twice_GivesTheSameBytes()
    {
        string first = Path.Combine(_scratch, "first");
        string second = Path.Combine(_scratch, "second");

        Assert.True(await PackageSet.WriteAsync(Stand(), Sample, first, static _ => { }));
        Assert.True(await PackageSet.WriteAsync(Stand(), Sample, second, static _ => { }));

        string[] names = [.. Directory.EnumerateFiles(first).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        Assert.Contains("nodeagent_0.1.0_amd64.deb", names);
        Assert.Contains("nodeagent-0.1.0-win-x64.zip", names);
        Assert.Equal(names, Directory.EnumerateFiles(second).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.All(names, name => Assert.True(
            File.ReadAllBytes(Path.Combine(first, name)).AsSpan().SequenceEqual(File.ReadAllBytes(Path.Combine(second, name))), $"{name} is not the same twice"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Deb_ByLintian_IsClean(string name) =>
        Judge.AssertClean("lintian", "lintian", "--allow-root", "--no-user-dirs", "--fail-on", "error,warning", WriteDeb(name));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Rpm_ByRpmlint_IsClean(string name)
    {
        Judge.Run("rpmbuild", "rpm", "--version");
        Package package = Find(name);
        byte[] content = (await RpmPackage.CreateAsync(package, Sample, Path.Combine(_scratch, "rpm")))!;
        string file = Path.Combine(_scratch, RpmPackage.FileName(package, Sample));
        await File.WriteAllBytesAsync(file, content, TestContext.Current.CancellationToken);

        (int code, string output) = Judge.Run("rpmlint", "rpmlint", "-c", Path.Combine(Repository.Root, "packaging", "rpm", "rpmlint.toml"), file);

        Assert.True(code == 0 && output.Contains("0 errors, 0 warnings", StringComparison.Ordinal), output);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Deb_ByDpkg_IsReadAndNamesItsConfiguration(string name)
    {
        string file = WriteDeb(name);

        (int code, string fields) = Judge.Run("dpkg-deb", "dpkg", "--info", file);
        Assert.True(code == 0, fields);
        Assert.Contains($"Package: {name}\n", fields, StringComparison.Ordinal);
        (_, string files) = Judge.Run("dpkg-deb", "dpkg", "--contents", file);
        Assert.All(files.TrimEnd().Split('\n'), line => Assert.Contains(" root/root ", line, StringComparison.Ordinal));
        string[] configuration = [.. Find(name).Entries.Where(entry => entry.IsConfiguration).Select(entry => entry.Path)];
        Assert.Equal(name == "nodectl" ? 0 : 1, configuration.Length);
    }

    [Fact]
    public void Tar_Entries_AreSortedAndRoots()
    {
        PackageEntry[] entries = [PackageEntry.Text("b/two", "2"), PackageEntry.Text("a/one", "1"), PackageEntry.Text("a/deep/er", "3")];

        using TarReader tar = new(new MemoryStream(TarArchive.Create(entries, Sample.Date, "./")));
        List<TarEntry> read = [];
        while (tar.GetNextEntry() is { } entry)
        {
            read.Add(entry);
        }

        Assert.Equal(["./", "./a/", "./a/deep/", "./a/deep/er", "./a/one", "./b/", "./b/two"], read.Select(entry => entry.Name));
        Assert.All(read, entry => Assert.Equal((0, 0, Sample.Date), (entry.Uid, entry.Gid, entry.ModificationTime)));
    }

    [Fact]
    public void Zip_OfWindows_HasTheProgramItsConfigurationAndBothScripts()
    {
        using ZipArchive zip = new(new MemoryStream(WindowsZip.Create(Stand().WindowsAgent!, Sample)));

        Assert.Equal(["copyright.txt", "install.ps1", "nodeagent.exe", "nodeagent.json", "uninstall.ps1"], zip.Entries.Select(entry => entry.Name));
    }

    [Fact]
    public void Packages_Files_BelongToOneOfThem()
    {
        string[] paths = [.. new ProductPackages(Stand()).All.SelectMany(package => package.Entries).Select(entry => entry.Path)];

        Assert.Equal(paths.Length, paths.Distinct().Count());
    }

    private static Package Find(string name) => new ProductPackages(Stand()).All.Single(package => package.Name == name);

    private static Programs Stand() => new("/bin/true", "/bin/true", "/bin/true", "/bin/true", new Dictionary<string, string>
    {
        ["bash"] = "# bash\n", ["zsh"] = "#compdef nodectl\n", ["fish"] = "# fish\n",
    });

    private string WriteDeb(string name)
    {
        Package package = Find(name);
        string file = Path.Combine(_scratch, DebianPackage.FileName(package, Sample));
        File.WriteAllBytes(file, DebianPackage.Create(package, Sample));
        return file;
    }
}
