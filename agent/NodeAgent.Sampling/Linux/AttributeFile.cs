using Microsoft.Win32.SafeHandles;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// One sysfs attribute: a short value, opened once, one pread a read. Unlike <see cref="KernelFile"/> it owns no buffer (a host
/// has hundreds of them) and a refused read is an answer, not an exception: `speed` says EINVAL without a link, a sleeping
/// sensor ENODATA, and both may say so on every tick.
/// </summary>
internal sealed class AttributeFile : IDisposable
{
    /// <summary>Longest text read; kernel attributes with a single value stay far below.</summary>
    public const int MaxBytes = 256;

    private readonly SafeFileHandle _handle;

    private AttributeFile(SafeFileHandle handle) => _handle = handle;

    /// <summary>Opens an attribute, or returns null where it does not exist or may not be read.</summary>
    public static AttributeFile? TryOpen(string path)
    {
        SafeFileHandle handle = LibC.OpenForRead(path);
        if (handle.IsInvalid)
        {
            handle.Dispose();
            return null;
        }

        return new AttributeFile(handle);
    }

    /// <summary>The last read failed because the device behind the attribute is gone; opening it again may find its successor.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Reads the value without trailing blanks and newline. False where the kernel refused.</summary>
    public bool TryRead(Span<byte> buffer, out ReadOnlySpan<byte> text)
    {
        int length = LibC.ReadAt(_handle, buffer, offset: 0);
        if (length < 0)
        {
            IsGone = LibC.Errno == LibC.ENODEV; // what kernfs answers for an attribute that was removed
            text = default;
            return false;
        }

        IsGone = false;
        text = ((ReadOnlySpan<byte>)buffer[..length]).TrimEnd("\n \0"u8);
        return true;
    }

    public void Dispose() => _handle.Dispose();
}
