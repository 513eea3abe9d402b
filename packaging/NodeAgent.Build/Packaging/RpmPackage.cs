using System.Globalization;
using System.Text;
using NodeAgent.Build.Steps;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>A .rpm by rpmbuild, from the same entries; every source of other bytes on another day or machine is switched off.</summary>
internal static class RpmPackage
{
    internal static string FileName(Package package, Release release) => $"{package.Name}-{release.Version}-1.x86_64.rpm";

    /// <summary>Whether this machine has rpmbuild.</summary>
    internal static bool IsPossible => Tool.Find("rpmbuild") is not null;

    /// <summary>Builds it in <paramref name="work"/>; null when rpmbuild failed, which then has said why.</summary>
    internal static async Task<byte[]?> CreateAsync(Package package, Release release, string work)
    {
        string staged = Path.Combine(work, "files");
        PackageEntry[] entries = [.. package.Entries.Select(ForRpm), PackageEntry.Of($"usr/share/doc/{package.Name}/copyright", Path.Combine(Repository.Root, "packaging", "copyright"))];
        foreach (PackageEntry entry in entries)
        {
            string path = Path.Combine(staged, entry.Path);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, entry.Content).ConfigureAwait(false);
        }

        string spec = Path.Combine(work, package.Name + ".spec");
        await File.WriteAllTextAsync(spec, Spec(package, release, entries)).ConfigureAwait(false);
        string[] macros =
        [
            $"_topdir {work}", $"staged {staged}", "_buildhost reproducible", "use_source_date_epoch_as_buildtime 1", "clamp_mtime_to_source_date_epoch 1",
            "source_date_epoch_from_changelog 0", "_binary_payload w6.gzdio", "_build_id_links none", "__os_install_post %{nil}", "debug_package %{nil}",
            "_docdir_fmt %%{NAME}", "_unitdir /usr/lib/systemd/system", "_sysusersdir /usr/lib/sysusers.d",
        ];
        int code = await Shell.RunAsync(
            "rpmbuild", ["-bb", "--quiet", "--target", "x86_64-linux", "--nodeps", .. macros.SelectMany(macro => new[] { "--define", macro }), spec],
            new Dictionary<string, string> { ["SOURCE_DATE_EPOCH"] = release.Date.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ["LC_ALL"] = "C" }).ConfigureAwait(false);
        return code == 0 ? await File.ReadAllBytesAsync(Path.Combine(work, "RPMS", "x86_64", FileName(package, release))).ConfigureAwait(false) : null;
    }

    // Debian's folders for completions of other shells have other names there.
    private static PackageEntry ForRpm(PackageEntry entry) => entry with { Path = entry.Path.Replace("usr/share/zsh/vendor-completions/", "usr/share/zsh/site-functions/", StringComparison.Ordinal) };

    private static string Spec(Package package, Release release, PackageEntry[] entries)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"Name: {package.Name}\nVersion: {release.Version}\nRelease: 1\nSummary: {char.ToUpperInvariant(package.Summary[0])}{package.Summary[1..]}\nLicense: LicenseRef-NodeAgent\n");
        text.Append(CultureInfo.InvariantCulture, $"Packager: {Release.Maintainer}\nGroup: System/Monitoring\nAutoReqProv: no\nRequires: glibc >= 2.27, libgcc, libstdc++, openssl-libs\n");
        text.Append(package.HasService ? "Requires(pre): systemd\nRequires(post): systemd\nRequires(preun): systemd\nRequires(postun): systemd\n" : "");
        text.Append(CultureInfo.InvariantCulture, $"\n%description\n{string.Join("\n\n", package.Description.Select(paragraph => string.Join('\n', Package.Wrap(paragraph))))}\n\n%install\nmkdir -p %{{buildroot}}\ncp -a %{{staged}}/. %{{buildroot}}/\n");
        text.Append("\n%files\n%defattr(-,root,root,-)\n%dir %attr(0755,root,root) ").Append(entries.Any(entry => entry.IsConfiguration) ? "/etc/nodeagent\n" : $"/usr/share/doc/{package.Name}\n");
        foreach (PackageEntry entry in entries.OrderBy(entry => entry.Path, StringComparer.Ordinal))
        {
            string kind = entry.IsConfiguration ? "%config(noreplace) " : entry.Path.Contains("/doc/", StringComparison.Ordinal) || entry.Path.Contains("/man/", StringComparison.Ordinal) ? "%doc " : "";
            text.Append(CultureInfo.InvariantCulture, $"{kind}%attr({Convert.ToString((int)entry.Mode, 8)},root,root) \"/{entry.Path}\"\n");
        }

        if (package.HasService)
        {
            text.Append('\n').Append(File.ReadAllText(Path.Combine(Repository.Root, "packaging", "rpm", package.Name + ".sh")));
        }

        string date = release.Date.ToString("ddd MMM dd yyyy", CultureInfo.InvariantCulture);
        text.Append(CultureInfo.InvariantCulture, $"\n%changelog\n* {date} {Release.Maintainer} - {release.Version}-1\n- Release {release.Version}\n");
        return text.ToString();
    }
}
