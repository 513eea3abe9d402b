using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Notices devices that come and go in a class folder of sysfs without allocating: it hashes the entry names. Folders of sysfs
/// have no usable change time and no inotify events for device creation, so looking is the only way. Lives as long as its sampler.
/// </summary>
internal sealed class DirectoryNames(string path)
{
    private const int NameOffset = 19; // linux_dirent64: u64 ino, s64 off, u16 reclen, u8 type, name (getdents64(2))
    private static readonly nint GetDents64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 61 : 217;

    private readonly byte[] _buffer = new byte[8 * 1024]; // about 200 entries a call
    private SafeFileHandle? _handle;

    /// <summary>A fingerprint of the names, whatever their order. False where the folder does not exist or cannot be read.</summary>
    public bool TryRead(out ulong fingerprint)
    {
        fingerprint = 0;
        if (_handle is null or { IsInvalid: true })
        {
            _handle?.Dispose();
            _handle = LibC.OpenNonBlocking(path);
        }

        int fd = _handle.IsInvalid ? -1 : (int)_handle.DangerousGetHandle(); // never closed while this object is in use
        if (fd < 0 || LibC.Seek(fd, 0, 0) != 0)
        {
            return false;
        }

        int length;
        while ((length = ReadEntries(fd)) > 0)
        {
            fingerprint += Fingerprint(_buffer.AsSpan(0, length));
        }

        return length == 0;
    }

    /// <summary>Sum of the name hashes of packed linux_dirent64 records; stops at the first record that does not fit.</summary>
    internal static ulong Fingerprint(ReadOnlySpan<byte> records)
    {
        ulong sum = 0;
        while (records.Length > NameOffset)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(records[16..]);
            if (length <= NameOffset || length > records.Length)
            {
                break;
            }

            ReadOnlySpan<byte> name = records[NameOffset..length];
            int end = name.IndexOf((byte)0);
            sum += Hash(end < 0 ? name : name[..end]);
            records = records[length..];
        }

        return sum;
    }

    private unsafe int ReadEntries(int fd)
    {
        fixed (byte* start = _buffer)
        {
            return (int)LibC.SysCall(GetDents64, fd, start, (nuint)_buffer.Length);
        }
    }

    // FNV-1a, 64 bit (RFC draft-eastlake-fnv): good enough to see a change, and no state.
    private static ulong Hash(ReadOnlySpan<byte> name)
    {
        ulong hash = 14695981039346656037;
        foreach (byte b in name)
        {
            hash = (hash ^ b) * 1099511628211;
        }

        return hash;
    }
}
