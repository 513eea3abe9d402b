using System.Runtime.InteropServices;
using System.Text;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Lists a directory of procfs, sysfs or cgroupfs, and reads small files below it, with no allocation: the framework makes a
/// string an entry, and /proc has thousands. Opened for one pass; dispose after it.
/// </summary>
internal ref struct KernelDirectory
{
    /// <summary>DT_DIR and DT_UNKNOWN of struct linux_dirent64 (getdents(2)).</summary>
    public const byte TypeDirectory = 4;

    private const int HeaderBytes = 19; // d_ino 8, d_off 8, d_reclen 2, d_type 1
    private const int MaxNameBytes = 255;

    private static readonly nint GetDents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;
    private static readonly int OpenFlags = LibC.OpenReadOnly | LibC.OpenCloseOnExec |
        (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? LibC.OpenDirectoryArm64 : LibC.OpenDirectory);

    private readonly Span<byte> _buffer;
    private int _fd;
    private int _length;
    private int _offset;

    private KernelDirectory(int fd, Span<byte> buffer)
    {
        _fd = fd;
        _buffer = buffer;
    }

    public readonly bool IsOpen => _fd >= 0;

    /// <summary>Path as the kernel takes it: UTF-8 with a zero at its end. For constructors.</summary>
    public static byte[] PathBytes(string path) => Encoding.UTF8.GetBytes(path + '\0');

    /// <summary>Opens a directory; <see cref="IsOpen"/> is false where that fails.</summary>
    /// <param name="path">From <see cref="PathBytes"/>.</param>
    /// <param name="buffer">Holds entries during the pass; 4 KiB or more.</param>
    public static unsafe KernelDirectory Open(ReadOnlySpan<byte> path, Span<byte> buffer)
    {
        fixed (byte* start = path)
        {
            return new KernelDirectory(LibC.Open(start, OpenFlags), buffer);
        }
    }

    /// <summary>Opens a directory below this one. The buffer must be another.</summary>
    public readonly unsafe KernelDirectory OpenChild(ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        Span<byte> path = stackalloc byte[MaxNameBytes + 1];
        if (!TryTerminate(name, path))
        {
            return new KernelDirectory(-1, buffer);
        }

        fixed (byte* start = path)
        {
            return new KernelDirectory(LibC.OpenAt(_fd, start, OpenFlags), buffer);
        }
    }

    /// <summary>Takes the next entry, "." and ".." left out. False at the end.</summary>
    public bool TryReadEntry(out ReadOnlySpan<byte> name, out byte type)
    {
        while (true)
        {
            name = default;
            type = 0;
            if (_offset >= _length && !TryFill())
            {
                return false;
            }

            ReadOnlySpan<byte> rest = _buffer[_offset.._length];
            int recordBytes = rest.Length < HeaderBytes ? 0 : rest[16] | (rest[17] << 8);
            if (recordBytes < HeaderBytes || recordBytes > rest.Length)
            {
                return false; // not what getdents(2) promises
            }

            _offset += recordBytes;
            type = rest[18];
            name = rest[HeaderBytes..recordBytes];
            int end = name.IndexOf((byte)0);
            name = end < 0 ? name : name[..end];
            if (name.Length > 0 && !name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
            {
                return true;
            }
        }
    }

    /// <summary>Reads a file below this directory once. False where it is gone or refused.</summary>
    /// <param name="relativePath">Ends with a zero byte.</param>
    /// <param name="content">Where to; a longer file is cut.</param>
    /// <param name="length">Bytes read.</param>
    public readonly unsafe bool TryReadFile(ReadOnlySpan<byte> relativePath, Span<byte> content, out int length)
    {
        length = 0;
        int file;
        fixed (byte* start = relativePath)
        {
            file = LibC.OpenAt(_fd, start, LibC.OpenReadOnly | LibC.OpenCloseOnExec);
        }

        if (file < 0)
        {
            return false;
        }

        fixed (byte* to = content)
        {
            length = (int)LibC.PRead(file, to, (nuint)content.Length, 0);
        }

        _ = LibC.Close(file); // opened for reading: nothing can be lost
        return length >= 0;
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = LibC.Close(_fd);
            _fd = -1;
        }
    }

    private static bool TryTerminate(ReadOnlySpan<byte> name, Span<byte> path)
    {
        if (name.Length >= path.Length)
        {
            return false;
        }

        name.CopyTo(path);
        path[name.Length] = 0;
        return true;
    }

    private unsafe bool TryFill()
    {
        _offset = 0;
        _length = 0;
        if (_fd < 0)
        {
            return false;
        }

        fixed (byte* start = _buffer)
        {
            _length = (int)LibC.SysCall(GetDents64, _fd, start, (nuint)_buffer.Length);
        }

        return _length > 0;
    }
}
