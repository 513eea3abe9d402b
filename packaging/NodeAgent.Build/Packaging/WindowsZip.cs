using System.IO.Compression;
using NodeAgent.Testing.Processes;

namespace NodeAgent.Build.Packaging;

/// <summary>The agent for Windows with the scripts that make a service of it.</summary>
internal static class WindowsZip
{
    internal static string FileName(Release release) => $"nodeagent-{release.Version}-win-x64.zip";

    internal static byte[] Create(string program, Release release)
    {
        string packaging = Path.Combine(Repository.Root, "packaging");
        (string Name, string Source)[] files =
        [
            ("nodeagent.exe", program),
            ("nodeagent.json", Path.Combine(packaging, "windows", "nodeagent.json")),
            .. Directory.EnumerateFiles(Path.Combine(packaging, "windows"), "*.ps1").Select(script => (Path.GetFileName(script), script)),
            ("copyright.txt", Path.Combine(packaging, "copyright")),
        ];
        using MemoryStream result = new();
        using (ZipArchive zip = new(result, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach ((string name, string source) in files.OrderBy(file => file.Name, StringComparer.Ordinal))
            {
                ZipArchiveEntry entry = zip.CreateEntry(name, CompressionLevel.Optimal);
                entry.LastWriteTime = release.Date;
                entry.ExternalAttributes = 0; // no permission bits of this machine
                using Stream content = entry.Open();
                content.Write(File.ReadAllBytes(source));
            }
        }

        return result.ToArray();
    }
}
