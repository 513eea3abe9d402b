using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>
/// A .deb by deb(5): an ar archive of the format's version, control.tar.gz and data.tar.gz. Written here and not by dpkg-deb, so that every
/// system builds it, and the same.
/// </summary>
internal static class DebianPackage
{
    private const string Architecture = "amd64";

    /// <summary>What the runtime inside our programs links to and loads; found by `ldd` and the runtime's own list of dependencies.</summary>
    private const string Libraries = "libc6 (>= 2.27), libgcc-s1 (>= 3.0), libstdc++6 (>= 5), libssl3 | libssl1.1";

    internal static string FileName(Package package, Release release) => $"{package.Name}_{release.Version}_{Architecture}.deb";

    internal static byte[] Create(Package package, Release release)
    {
        PackageEntry[] data = [.. package.Entries.Select(ForDebian), .. Documents(package, release)];
        byte[] control = Gzip.Compress(TarArchive.Create(Control(package, release, data), release.Date, "./"));
        byte[] files = Gzip.Compress(TarArchive.Create(data, release.Date, "./"));
        using MemoryStream result = new();
        result.Write("!<arch>\n"u8);
        AddMember(result, "debian-binary", "2.0\n"u8, release);
        AddMember(result, "control.tar.gz", control, release);
        AddMember(result, "data.tar.gz", files, release);
        return result.ToArray();
    }

    // Units are below /lib there until /lib is gone for good (Debian bug 1039979).
    private static PackageEntry ForDebian(PackageEntry entry) =>
        entry.Path.StartsWith("usr/lib/systemd/", StringComparison.Ordinal) ? entry with { Path = entry.Path[4..] } : entry;

    private static List<PackageEntry> Control(Package package, Release release, PackageEntry[] data)
    {
        List<PackageEntry> control = [PackageEntry.Text("control", Fields(package, release, data)), PackageEntry.Text("md5sums", Sums(data))];
        string[] configuration = [.. data.Where(entry => entry.IsConfiguration).Select(entry => $"/{entry.Path}\n").Order(StringComparer.Ordinal)];
        if (configuration.Length > 0)
        {
            control.Add(PackageEntry.Text("conffiles", string.Concat(configuration)));
        }

        string[] scripts = package.HasService ? ["postinst", "prerm", "postrm"] : [];
        foreach (string script in scripts)
        {
            control.Add(PackageEntry.Of(script, Path.Combine(Repository.Root, "packaging", "deb", $"{package.Name}.{script}"), PackageEntry.Executable));
        }

        return control;
    }

    private static string Fields(Package package, Release release, PackageEntry[] data)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"Package: {package.Name}\nVersion: {release.Version}\nArchitecture: {Architecture}\nMaintainer: {Release.Maintainer}\n");
        text.Append(CultureInfo.InvariantCulture, $"Installed-Size: {data.Sum(entry => (entry.Content.Length + 1023) / 1024)}\n");
        if (package.HasService)
        {
            text.Append("Pre-Depends: init-system-helpers (>= 1.54~)\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Depends: {Libraries}{(package.HasService ? ", systemd | systemd-standalone-sysusers | systemd-sysusers" : "")}\n");
        text.Append(CultureInfo.InvariantCulture, $"Section: admin\nPriority: optional\nDescription: {package.Summary}\n");
        text.Append(string.Join(" .\n", package.Description.Select(paragraph => string.Concat(Package.Wrap(paragraph).Select(line => $" {line}\n")))));
        return text.ToString();
    }

    private static string Sums(PackageEntry[] data) => string.Concat(data.Where(entry => !entry.IsConfiguration)
        .OrderBy(entry => entry.Path, StringComparer.Ordinal).Select(entry => $"{Md5(entry.Content.Span)}  {entry.Path}\n"));

    // What dpkg --verify compares with; the format knows no other sum, and nothing trusts it.
#pragma warning disable CA5351
    private static string Md5(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(MD5.HashData(content));
#pragma warning restore CA5351

    private static IEnumerable<PackageEntry> Documents(Package package, Release release)
    {
        string packaging = Path.Combine(Repository.Root, "packaging");
        yield return PackageEntry.Of($"usr/share/doc/{package.Name}/copyright", Path.Combine(packaging, "copyright"));
        string date = release.Date.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);
        yield return PackageEntry.Compressed($"usr/share/doc/{package.Name}/changelog.gz", Encoding.UTF8.GetBytes(
            $"{package.Name} ({release.Version}) stable; urgency=medium\n\n  * Release {release.Version}.\n\n -- {Release.Maintainer}  {date}\n"));
        string overrides = Path.Combine(packaging, "deb", $"{package.Name}.lintian-overrides");
        if (File.Exists(overrides))
        {
            yield return PackageEntry.Of($"usr/share/lintian/overrides/{package.Name}", overrides);
        }
    }

    private static void AddMember(Stream archive, string name, ReadOnlySpan<byte> content, Release release)
    {
        string head = $"{name,-16}{release.Date.ToUnixTimeSeconds(),-12}{0,-6}{0,-6}{"100644",-8}{content.Length,-10}`\n";
        archive.Write(Encoding.ASCII.GetBytes(head));
        archive.Write(content);
        if (content.Length % 2 == 1)
        {
            archive.WriteByte((byte)'\n');
        }
    }
}
