using System.Formats.Tar;

namespace NodeAgent.Build.Packaging;

/// <summary>The same files always give the same bytes: sorted, root's, one date, no names of this machine's users.</summary>
internal static class TarArchive
{
    private const UnixFileMode Folder = PackageEntry.Executable;

    /// <param name="entries">The files.</param>
    /// <param name="date">Their date, and that of the folders above them.</param>
    /// <param name="prefix"><c>./</c> as dpkg has it, or a folder that everything is in.</param>
    internal static byte[] Create(IEnumerable<PackageEntry> entries, DateTimeOffset date, string prefix)
    {
        using MemoryStream result = new();
        using (TarWriter tar = new(result, TarEntryFormat.Gnu, leaveOpen: true))
        {
            HashSet<string> folders = [];
            foreach (PackageEntry entry in entries.OrderBy(entry => entry.Path, StringComparer.Ordinal))
            {
                AddFolders(tar, folders, prefix + entry.Path, date);
                using MemoryStream content = new(entry.Content.ToArray(), writable: false);
                tar.WriteEntry(Entry(TarEntryType.RegularFile, prefix + entry.Path, entry.Mode, date, content));
            }
        }

        return result.ToArray();
    }

    private static void AddFolders(TarWriter tar, HashSet<string> known, string path, DateTimeOffset date)
    {
        for (int slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            string folder = path[..(slash + 1)];
            if (known.Add(folder))
            {
                tar.WriteEntry(Entry(TarEntryType.Directory, folder, Folder, date, content: null));
            }
        }
    }

    private static GnuTarEntry Entry(TarEntryType type, string path, UnixFileMode mode, DateTimeOffset date, Stream? content)
    {
        GnuTarEntry entry = new(type, path) { Mode = mode, Uid = 0, Gid = 0, UserName = "root", GroupName = "root", ModificationTime = date, AccessTime = default, ChangeTime = default };
        if (content is not null)
        {
            entry.DataStream = content;
        }

        return entry;
    }
}
