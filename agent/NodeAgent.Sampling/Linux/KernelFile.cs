using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// A file of procfs or sysfs that is opened once and read from its start on every tick: one pread, no allocation.
/// The buffer grows (outside the steady state) until the whole content fits, up to a stated limit.
/// </summary>
public sealed class KernelFile : IDisposable
{
    private const int WholePageBytes = 4096;
    private const int LongestRecordBytes = 1024;

    private readonly int _maxBytes;
    private readonly SafeFileHandle _handle;
    private byte[] _buffer;

    private KernelFile(SafeFileHandle handle, int initialBytes, int maxBytes)
    {
        _handle = handle;
        _buffer = new byte[initialBytes];
        _maxBytes = maxBytes;
    }

    /// <summary>Opens a file for repeated reading, or returns null where it does not exist or may not be read.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="initialBytes">First size of the buffer; choose it so that growing is rare.</param>
    /// <param name="maxBytes">Limit of growth; longer content reads as <see cref="IsTruncated"/>.</param>
    public static KernelFile? TryOpen(string path, int initialBytes = 4096, int maxBytes = 4 * 1024 * 1024)
    {
        try
        {
            return new KernelFile(File.OpenHandle(path), initialBytes, maxBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The last read stopped at the limit; the content was longer.</summary>
    public bool IsTruncated { get; private set; }

    /// <summary>Reads the whole content. Valid until the next call. Empty: the file holds nothing now.</summary>
    /// <exception cref="IOException">The kernel refused the read, for example because the device is gone (ENODEV).</exception>
    public ReadOnlySpan<byte> Read()
    {
        int length = 0;
        IsTruncated = false;
        while (true)
        {
            int read = RandomAccess.Read(_handle, _buffer.AsSpan(length), length);
            length += read;

            // A table of records (seq_file) comes a page at a time and stops before a record that no longer fits, so a read of
            // nothing is the only sure end. A short first page is one too: no kernel table has records of over 1 KiB, and the
            // files that do (stat, status, sysfs attributes) always come whole. It saves every second system call of the tick.
            if (read == 0 || (length < _buffer.Length && length < WholePageBytes - LongestRecordBytes && _buffer[length - 1] == (byte)'\n'))
            {
                return _buffer.AsSpan(0, length);
            }

            if (length == _buffer.Length)
            {
                if (length >= _maxBytes)
                {
                    IsTruncated = true;
                    return _buffer.AsSpan(0, length);
                }

                Array.Resize(ref _buffer, Math.Min(_maxBytes, _buffer.Length * 2));
            }
        }
    }

    public void Dispose() => _handle.Dispose();
}
