using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using NodeAgent.Actuation.Host;
using NodeAgent.Commands.Policy;
using NodeAgent.Commands.Envelope;
using NodeAgent.V1;

namespace NodeAgent.Actuation.Actuators;

/// <summary>
/// Packs the logs that the policy lists into one .tar.gz on the node, line by line through <see cref="Redaction"/>. Of a file that does not
/// fit any more, the end is taken: that is where it happened. What was left out is listed inside.
/// </summary>
public sealed class LogBundleActuator(ActuationPolicy policy, string folder) : IActuator
{
    private const int MaxLine = 64 * 1024;

    public Command.ActionOneofCase Action => Command.ActionOneofCase.LogBundle;

    public Preparation Prepare(Command command, CancellationToken deadline)
    {
        if (!policy.Bundles.TryGetValue(command.LogBundle.Name, out BundleEntry? entry))
        {
            return new([new Precondition("bundle-defined", false, $"the local policy defines no bundle {command.LogBundle.Name}")]);
        }

        long wanted = LimitOf(command, entry);
        long free = FreeBytes();
        return new(
        [
            new Precondition("bundle-defined", true, $"{entry.Paths.Count} paths, at most {wanted} bytes"),
            new Precondition("room", free / 2 >= wanted, $"{free} bytes are free below {folder}"),
        ]);
    }

    public StepResult Act(Command command, Preparation prepared, CancellationToken deadline)
    {
        BundleEntry entry = policy.Bundles[command.LogBundle.Name];
        string path = PathOf(command);
        try
        {
            Directory.CreateDirectory(folder);
            string summary = Pack(path + ".new", entry, LimitOf(command, entry), deadline);
            File.Move(path + ".new", path, overwrite: true);
            return new StepResult(true, $"{path}: {summary}", Encoding.UTF8.GetBytes(path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            File.Delete(path + ".new");
            return StepResult.Bad(e is OperationCanceledException ? "the logs could not be read in time" : e.Message);
        }
    }

    public StepResult Verify(Command command, Preparation prepared, CancellationToken deadline)
    {
        try
        {
            using FileStream file = File.OpenRead(PathOf(command));
            using GZipStream unzipped = new(file, CompressionMode.Decompress);
            using TarReader tar = new(unzipped);
            int entries = 0;
            while (tar.GetNextEntry() is not null) entries++;
            return StepResult.Good($"{entries} entries, {file.Length} bytes packed");
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return StepResult.Bad($"the bundle cannot be read back: {e.Message}");
        }
    }

    public StepResult Undo(UndoPlan plan, CancellationToken deadline) => StepResult.Bad("there is nothing to undo");

    private static string Pack(string path, BundleEntry entry, long left, CancellationToken deadline)
    {
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using FileStream file = new(path, options);
        using GZipStream zipped = new(file, CompressionLevel.Fastest);
        using TarWriter tar = new(zipped);
        List<string> notes = [];
        int packed = 0;
        foreach (string source in FilesOf(entry, notes))
        {
            deadline.ThrowIfCancellationRequested();
            if (left <= 0)
            {
                notes.Add($"{source}: left out, the bundle is full");
                continue;
            }

            if (TryReadClean(source, left, notes, deadline) is not { } clean) continue;
            left -= clean.Length;
            Add(tar, source.TrimStart('/'), clean);
            packed++;
        }

        Add(tar, "bundle.txt", Encoding.UTF8.GetBytes(string.Join('\n', [$"{packed} files", .. notes]) + "\n"));
        return $"{packed} files, {notes.Count} notes";
    }

    private static IEnumerable<string> FilesOf(BundleEntry entry, List<string> notes)
    {
        foreach (string path in entry.Paths)
        {
            if (Directory.Exists(path))
            {
                foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal)) yield return file;
            }
            else if (File.Exists(path))
            {
                yield return path;
            }
            else
            {
                notes.Add($"{path}: is not there");
            }
        }
    }

    private static byte[]? TryReadClean(string path, long limit, List<string> notes, CancellationToken deadline)
    {
        try
        {
            // A pipe would block for ever, a device for long; and a link could lead anywhere.
            if (!OperatingSystem.IsWindows() && !FileTrust.IsRegularFile(path))
            {
                notes.Add($"{path}: no regular file");
                return null;
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (!IsStillThatFile(file, path))
            {
                notes.Add($"{path}: was exchanged for a link");
                return null;
            }

            if (file.Length > limit)
            {
                notes.Add($"{path}: {file.Length - limit} bytes at its beginning left out");
                file.Seek(-limit, SeekOrigin.End);
            }

            return Clean(file, limit, deadline);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            notes.Add($"{path}: {e.Message}");
            return null;
        }
    }

    // Whoever may write a log folder could put a link there between looking and opening: what was opened must be what was named.
    private static bool IsStillThatFile(FileStream file, string path) =>
        !OperatingSystem.IsLinux()
        || new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle().ToString(CultureInfo.InvariantCulture)}").LinkTarget == path;

    private static byte[] Clean(FileStream file, long limit, CancellationToken deadline)
    {
        using StreamReader reader = new(file, Encoding.UTF8);
        using MemoryStream clean = new();
        char[] buffer = new char[MaxLine];
        StringBuilder line = new();
        bool inKey = false;
        int length;
        while (clean.Length < limit && (length = reader.ReadBlock(buffer, 0, buffer.Length)) > 0)
        {
            deadline.ThrowIfCancellationRequested();
            foreach (char c in buffer.AsSpan(0, length))
            {
                if (c != '\n' && line.Length < MaxLine) line.Append(c);
                else Flush(clean, line, c, ref inKey);
            }
        }

        if (line.Length > 0) Flush(clean, line, '\n', ref inKey);
        if (clean.Length > limit) clean.SetLength(limit);
        return clean.ToArray();
    }

    private static void Flush(MemoryStream clean, StringBuilder line, char last, ref bool inKey)
    {
        clean.Write(Encoding.UTF8.GetBytes(Redaction.Line(line.ToString(), ref inKey)));
        clean.WriteByte((byte)'\n');
        line.Clear();
        if (last != '\n') line.Append(last);
    }

    private static void Add(TarWriter tar, string name, byte[] content)
    {
        using MemoryStream data = new(content);
        tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = data, Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
    }

    private static long LimitOf(Command command, BundleEntry entry)
    {
        long allowed = PolicyReader.BytesOf(entry);
        return command.LogBundle.MaxBytes == 0 ? allowed : (long)Math.Min((ulong)allowed, command.LogBundle.MaxBytes);
    }

    private string PathOf(Command command) => Path.Combine(folder, $"{CommandEnvelope.ToGuid(command.CommandId):n}.tar.gz");

    private long FreeBytes()
    {
        string? there = Path.GetFullPath(folder);
        while (there is not null && !Directory.Exists(there)) there = Path.GetDirectoryName(there);
        return there is null ? 0 : new DriveInfo(there).AvailableFreeSpace;
    }
}
