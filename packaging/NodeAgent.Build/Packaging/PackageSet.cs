using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>Every file that a release consists of.</summary>
internal static class PackageSet
{
    /// <summary>Writes all that this machine can build into <paramref name="folder"/>; false when a tool failed.</summary>
    internal static async Task<bool> WriteAsync(Programs programs, Release release, string folder, Action<string> say)
    {
        Directory.CreateDirectory(folder);
        IReadOnlyList<Package> packages = new ProductPackages(programs).All;
        foreach (Package package in packages)
        {
            await WriteAsync(folder, DebianPackage.FileName(package, release), DebianPackage.Create(package, release), say).ConfigureAwait(false);
        }

        string name = $"nodeagent-{release.Version}-linux-x64";
        byte[] tar = TarArchive.Create(packages.SelectMany(package => package.Entries), release.Date, name + "/");
        await WriteAsync(folder, name + ".tar.gz", Gzip.Compress(tar), say).ConfigureAwait(false);
        if (programs.WindowsAgent is { } windows)
        {
            await WriteAsync(folder, WindowsZip.FileName(release), WindowsZip.Create(windows, release), say).ConfigureAwait(false);
        }

        return await WriteRpmsAsync(packages, release, folder, say).ConfigureAwait(false);
    }

    private static async Task<bool> WriteRpmsAsync(IReadOnlyList<Package> packages, Release release, string folder, Action<string> say)
    {
        if (!RpmPackage.IsPossible)
        {
            say("no .rpm: rpmbuild is not installed (Debian: apt-get install rpm)");
            return true;
        }

        foreach (Package package in packages)
        {
            string work = Directory.CreateTempSubdirectory("nodeagent-rpm").FullName;
            try
            {
                if (await RpmPackage.CreateAsync(package, release, work).ConfigureAwait(false) is not { } content)
                {
                    return false;
                }

                await WriteAsync(folder, RpmPackage.FileName(package, release), content, say).ConfigureAwait(false);
            }
            finally
            {
                Directory.Delete(work, recursive: true);
            }
        }

        return true;
    }

    private static async Task WriteAsync(string folder, string name, byte[] content, Action<string> say)
    {
        string path = Path.Combine(folder, name);
        await File.WriteAllBytesAsync(path, content).ConfigureAwait(false);
        say($"{Path.GetRelativePath(Repository.Root, path)}  {content.Length / 1048576.0:0.0} MiB");
    }
}
