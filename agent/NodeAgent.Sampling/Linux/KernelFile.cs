using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// A file of procfs or sysfs that is opened once and read from its start on every tick: one pread, no allocation, and no
/// exception where the kernel refuses (<see cref="TryRead"/>), because a port that is down or a group that ended refuses every tick.
/// </summary>
public sealed class KernelFile : IDisposable
{
    private const int WholePageBytes = 4096;
    private const int LongestRecordBytes = 1024;
    private const int Interrupted = 4; // EINTR

    private readonly SafeFileHandle _handle;
    private readonly int _fd;
    private readonly KernelBuffer _buffer;
    private readonly bool _wholeInOneRead;

    private KernelFile(SafeFileHandle handle, KernelBuffer buffer, bool wholeInOneRead)
    {
        _handle = handle;
        _fd = (int)handle.DangerousGetHandle(); // closed only by Dispose, on the thread that reads
        _buffer = buffer;
        _wholeInOneRead = wholeInOneRead;
    }

    /// <summary>Opens a file for repeated reading, or returns null where it does not exist or may not be read.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="initialBytes">First size of the buffer; choose it so that growing is rare.</param>
    /// <param name="maxBytes">Limit of growth; longer content reads as <see cref="IsTruncated"/>.</param>
    /// <param name="wholeInOneRead">
    /// The kernel makes the content as one record (single_open, sysfs attribute), so that a read that did not fill the buffer
    /// had all of it; saves the second system call for content of over 3 KiB. True for /proc/stat, /proc/meminfo and all of
    /// sysfs; false for tables (/proc/vmstat, /proc/diskstats, /proc/net/dev).
    /// </param>
    public static KernelFile? TryOpen(string path, int initialBytes = 4096, int maxBytes = 4 * 1024 * 1024, bool wholeInOneRead = false) =>
        TryOpen(path, new KernelBuffer(initialBytes, maxBytes), wholeInOneRead);

    /// <summary>
    /// As the other, with a buffer that several files share: what a read returned is valid until the next read of any of them.
    /// </summary>
    public static KernelFile? TryOpen(string path, KernelBuffer shared, bool wholeInOneRead = false)
    {
        try
        {
            // ReadWrite, so that the framework takes no lock: an flock says nothing here and is a system call.
            SafeFileHandle handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return new KernelFile(handle, shared, wholeInOneRead);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The last read stopped at the limit; the content was longer.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>
    /// The error number of the last <see cref="TryRead"/> that returned false, for example 19 (ENODEV): the device is gone.
    /// </summary>
    public int LastErrno { get; private set; }

    /// <summary>Reads the whole content. Valid until the next call. Empty: the file holds nothing now.</summary>
    /// <exception cref="IOException">The kernel refused the read, for example because the device is gone (ENODEV).</exception>
    public ReadOnlySpan<byte> Read() =>
        TryRead(out ReadOnlySpan<byte> content)
            ? content
            : throw new IOException($"read failed: {Marshal.GetPInvokeErrorMessage(LastErrno)} (errno {LastErrno})");

    /// <summary>As <see cref="Read"/>, but false, with <see cref="LastErrno"/>, where the kernel refuses.</summary>
    public bool TryRead(out ReadOnlySpan<byte> content)
    {
        int length = 0;
        IsTruncated = false;
        while (true)
        {
            nint read = ReadAt(length);
            if (read < 0)
            {
                content = default;
                return false;
            }

            length += (int)read;
            if (IsWhole((int)read, length))
            {
                content = _buffer.Bytes.AsSpan(0, length);
                return true;
            }

            if (length == _buffer.Bytes.Length && !_buffer.TryGrow())
            {
                IsTruncated = true;
                content = _buffer.Bytes.AsSpan(0, length);
                return true;
            }
        }
    }

    public void Dispose() => _handle.Dispose();

    // A table of records (seq_file) comes a page at a time and stops before a record that no longer fits, so a read of
    // nothing is the only sure end. A short first page is one too: no kernel table has records of over 1 KiB, and the
    // files that do (stat, status, sysfs attributes) always come whole. It saves every second system call of the tick.
    private bool IsWhole(int read, int length)
    {
        if (read == 0)
        {
            return true;
        }

        byte[] bytes = _buffer.Bytes;
        return length < bytes.Length &&
            (_wholeInOneRead || (length < WholePageBytes - LongestRecordBytes && bytes[length - 1] == (byte)'\n'));
    }

    private unsafe nint ReadAt(int offset)
    {
        byte[] bytes = _buffer.Bytes;
        fixed (byte* start = bytes)
        {
            while (true)
            {
                nint read = LibC.PRead(_fd, start + offset, (nuint)(bytes.Length - offset), offset);
                if (read >= 0)
                {
                    return read;
                }

                LastErrno = Marshal.GetLastPInvokeError();
                if (LastErrno != Interrupted)
                {
                    return -1;
                }
            }
        }
    }
}
