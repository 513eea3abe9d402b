using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace NodeAgent.Actuation.Host;

/// <summary>
/// A pidfd: it means one process for ever, while a pid may mean another one by the time a signal arrives. Linux 5.3 and later
/// (pidfd_open(2)); older kernels cannot have processes ended by us.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class ProcessHandle : IDisposable
{
    internal const int Terminate = 15;
    internal const int Kill = 9;

    private const int OpenCall = 434; // pidfd_open, the same number on every architecture
    private const int SignalCall = 424; // pidfd_send_signal
    private const short Readable = 1; // POLLIN: the process has ended

    private readonly int _file;

    private ProcessHandle(int file) => _file = file;

    /// <summary>Null: there is no such process, or the kernel cannot; <paramref name="errno"/> says which.</summary>
    internal static ProcessHandle? TryOpen(int pid, out int errno)
    {
        long file = Syscall(OpenCall, pid, 0, 0, 0);
        errno = file < 0 ? Marshal.GetLastPInvokeError() : 0;
        return file < 0 ? null : new ProcessHandle((int)file);
    }

    /// <summary>0, or the error number; 3 (ESRCH): it has ended already.</summary>
    internal int Signal(int signal) => Syscall(SignalCall, _file, signal, 0, 0) < 0 ? Marshal.GetLastPInvokeError() : 0;

    /// <summary>True: the process has ended, within this time.</summary>
    internal bool WaitForExit(int milliseconds)
    {
        PollEntry entry = new() { File = _file, Events = Readable };
        return Poll(ref entry, 1, milliseconds) > 0;
    }

    public void Dispose() => Close(_file);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long Syscall(long number, long first, long second, long third, long fourth);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entries, nuint count, int timeout);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int File;
        public short Events;
        public short Returned;
    }
}
