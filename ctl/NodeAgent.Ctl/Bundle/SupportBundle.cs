using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace NodeAgent.Ctl.Bundle;

/// <summary>One file of a support bundle.</summary>
/// <param name="Path">Inside the bundle.</param>
/// <param name="Collect">Its text; an exception's message stands in for what could not be had.</param>
internal sealed record BundlePart(string Path, Func<CancellationToken, Task<string>> Collect);

/// <summary>Collects parts, each redacted and bounded, into a .tar.gz. One that fails costs only itself.</summary>
internal sealed class SupportBundle(TimeProvider time)
{
    /// <summary>Of one part; the end is kept, because that is where things broke.</summary>
    private const int MaxChars = 4 << 20;

    public async Task<IReadOnlyList<BundleItem>> WriteAsync(string folderName, IEnumerable<BundlePart> parts, Stream output, CancellationToken cancellation)
    {
        List<BundleItem> items = [];
        await using GZipStream gzip = new(output, CompressionLevel.Optimal, leaveOpen: true);
        await using TarWriter tar = new(gzip, TarEntryFormat.Pax, leaveOpen: true);
        foreach (BundlePart part in parts)
        {
            Redactor redactor = new();
            (string text, string? problem) = await CollectAsync(part, cancellation).ConfigureAwait(false);
            text = redactor.Clean(text.Length > MaxChars ? text[^MaxChars..] : text);
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            using MemoryStream content = new(bytes);
            PaxTarEntry entry = new(TarEntryType.RegularFile, $"{folderName}/{part.Path}")
            {
                DataStream = content,
                ModificationTime = time.GetUtcNow(),
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            await tar.WriteEntryAsync(entry, cancellation).ConfigureAwait(false);
            items.Add(new BundleItem(part.Path, bytes.Length, redactor.Count, problem));
        }

        return items;
    }

    private static async Task<(string Text, string? Problem)> CollectAsync(BundlePart part, CancellationToken cancellation)
    {
        try
        {
            return (await part.Collect(cancellation).ConfigureAwait(false), null);
        }
        catch (Exception missing) when (missing is CtlException or IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception or TimeoutException)
        {
            string why = missing is CtlException failure ? failure.Line : missing.Message;
            return ($"could not be collected: {why}\n", why);
        }
    }
}
