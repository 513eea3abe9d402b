using NodeAgent.Journal.Files;

namespace NodeAgent.Journal.Recovery;

/// <summary>
/// Keeps what is set aside, so that a person can look at it: whole files are moved here, damaged pieces copied. Failing here costs
/// evidence, never records, so failures are counted and opening goes on.
/// </summary>
internal sealed class Quarantine(IFileOps files, string directory, long maxBytes)
{
    private readonly string _path = Path.Combine(directory, "quarantine");
    private readonly List<string> _names = [];
    private long _bytes;

    public IReadOnlyList<string> Names => _names;

    public long NotKeptBytes { get; private set; }

    public void Move(SegmentCandidate file, string reason)
    {
        string name = $"{file.Name}.{reason}";
        for (int i = 1; files.Exists(Path.Combine(_path, name)) is { Ok: true, Value: 1 }; i++) name = $"{file.Name}.{reason}.{i}";

        if (files.CreateDirectory(_path).Ok && files.RenameRetrying(file.Path, Path.Combine(_path, name)).Ok) _names.Add(name);
        else NotKeptBytes += file.Bytes;
    }

    /// <summary>Copies a piece, unless an earlier opening did.</summary>
    public void Copy(string path, ulong segment, long offset, long length)
    {
        if (length <= 0) return;
        string name = $"{segment:x16}-{offset:x}.bytes";
        string target = Path.Combine(_path, name);
        if (files.Exists(target) is { Ok: true, Value: 1 }) return;

        if (_bytes + length <= maxBytes && TryCopy(path, target, offset, length))
        {
            _bytes += length;
            _names.Add(name);
        }
        else
        {
            NotKeptBytes += length;
        }
    }

    private bool TryCopy(string path, string target, long offset, long length)
    {
        if (!files.CreateDirectory(_path).Ok) return false;
        IoResult source = files.OpenRetrying(path, FileOpenMode.Read);
        if (!source.Ok) return false;
        IoResult copy = files.OpenRetrying(target, FileOpenMode.CreateNew);
        bool copied = copy.Ok && TryCopyBytes(source.Value, copy.Value, offset, length);
        files.Close(source.Value);
        if (copy.Ok) files.Close(copy.Value);
        return copied;
    }

    private bool TryCopyBytes(long source, long target, long offset, long length)
    {
        var buffer = new byte[Math.Min(length, 64 * 1024)];
        for (long done = 0; done < length;)
        {
            IoResult read = files.ReadAll(source, buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done)), offset + done);
            if (!read.Ok || read.Value == 0) return false;
            if (!files.WriteAll(target, buffer.AsSpan(0, (int)read.Value), done).Ok) return false;
            done += read.Value;
        }

        return true;
    }
}
