using System.Text;
using NodeAgent.Journal.Files;

namespace NodeAgent.Actuation.Local;

/// <summary>A small file that is there whole or not at all, also after a power cut.</summary>
internal static class DurableText
{
    /// <summary>Null: it is on the disk. Else which call failed.</summary>
    internal static string? TryWrite(IFileOps files, string path, string text)
    {
        string temporary = path + ".new";
        files.Delete(temporary);
        IoResult opened = files.Open(temporary, FileOpenMode.CreateNew);
        if (!opened.Ok) return $"open: error {opened.Errno}";
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        IoResult written = files.Write(opened.Value, bytes, 0);
        IoResult synced = files.Sync(opened.Value);
        files.Close(opened.Value);
        if (!written.Ok || !synced.Ok || written.Value != bytes.Length) return $"write: error {(written.Ok ? synced.Errno : written.Errno)}";
        IoResult renamed = files.Rename(temporary, path);
        if (!renamed.Ok) return $"rename: error {renamed.Errno}";
        IoResult folder = files.SyncDirectory(Path.GetDirectoryName(path)!);
        return folder.Ok ? null : $"sync of the folder: error {folder.Errno}";
    }
}
