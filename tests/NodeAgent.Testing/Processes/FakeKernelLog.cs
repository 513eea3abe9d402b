using System.Runtime.InteropServices;
using System.Text;

namespace NodeAgent.Testing.Processes;

/// <summary>
/// A pipe that reads like /dev/kmsg: one record a read, nothing without waiting. Set <c>sampling.kernel_log</c> to <see cref="Path"/>.
/// Linux only.
/// </summary>
public sealed partial class FakeKernelLog : IDisposable
{
    private const int ReadWrite = 2; // both ends, so that it is never at its end and never blocks to open
    private const int NonBlocking = 0x800;
    private const int PacketMode = 0x4000; // O_DIRECT: each write is a packet (pipe(7), since Linux 4.5)
    private const int SetStatusFlags = 4;

    private readonly int _pipe;
    private readonly List<byte[]> _records = [];

    /// <param name="path">Made as a named pipe.</param>
    public FakeKernelLog(string path)
    {
        Path = path;
        if (MakePipe(path, 0x180) != 0 || (_pipe = Open(path, ReadWrite | NonBlocking)) < 0 || Control(_pipe, SetStatusFlags, NonBlocking | PacketMode) != 0)
        {
            throw new IOException($"{path} cannot be made a pipe: error {Marshal.GetLastPInvokeError()}");
        }
    }

    public string Path { get; }

    /// <summary>Writes a record as the kernel does, stamped now, with the next number.</summary>
    public void Write(string text)
    {
        byte[] record = Encoding.UTF8.GetBytes($"3,{_records.Count},{Environment.TickCount64 * 1000},-;{text}\n");
        _records.Add(record);
        Write(record);
    }

    /// <summary>All records again from the first, as a reader that opens the real log finds them.</summary>
    public void Rewind() => _records.ForEach(Write);

    public void Dispose() => _ = Close(_pipe);

    private void Write(byte[] record)
    {
        if (Put(_pipe, record, (nuint)record.Length) != record.Length)
        {
            throw new IOException($"{Path} takes no more: error {Marshal.GetLastPInvokeError()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(int fd, int command, int argument);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Put(int fd, byte[] bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
