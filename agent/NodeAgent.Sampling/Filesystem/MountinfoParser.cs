using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Filesystem;

/// <summary>One line of /proc/PID/mountinfo (proc(5)): id parent major:minor root mountpoint options [tags...] - fstype source superoptions.</summary>
internal static class MountinfoParser
{
    /// <summary>False where the line does not have that form. Names are still escaped; see <see cref="Unescape"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out MountReading mount)
    {
        mount = default;
        Utf8Cursor cursor = new(line);
        if (!cursor.TryReadUInt64(out _) || !cursor.TryReadUInt64(out _) || !cursor.TryReadField(out _) || !cursor.TryReadField(out _)
            || !cursor.TryReadField(out ReadOnlySpan<byte> mountPoint) || !cursor.TryReadField(out ReadOnlySpan<byte> mountOptions))
        {
            return false;
        }

        ReadOnlySpan<byte> field;
        do
        {
            if (!cursor.TryReadField(out field))
            {
                return false;
            }
        }
        while (!field.SequenceEqual("-"u8));

        if (!cursor.TryReadField(out ReadOnlySpan<byte> type) || !cursor.TryReadField(out ReadOnlySpan<byte> source))
        {
            return false;
        }

        cursor.TryReadField(out ReadOnlySpan<byte> superOptions);
        mount = new MountReading
        {
            MountPoint = mountPoint,
            Type = type,
            Source = source,
            IsReadOnly = HasOption(mountOptions, "ro"u8) || HasOption(superOptions, "ro"u8),
        };
        return true;
    }

    /// <summary>Undoes the kernel's octal escapes of blank, tab, newline and backslash. Anything else stays as it is.</summary>
    public static byte[] Unescape(ReadOnlySpan<byte> text)
    {
        byte[] result = new byte[text.Length];
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 3 < text.Length && TryOctal(text.Slice(i + 1, 3), out byte value))
            {
                result[length++] = value;
                i += 3;
            }
            else
            {
                result[length++] = text[i];
            }
        }

        return result[..length];
    }

    private static bool TryOctal(ReadOnlySpan<byte> digits, out byte value)
    {
        int sum = 0;
        foreach (byte digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'7')
            {
                value = 0;
                return false;
            }

            sum = (sum * 8) + (digit - '0');
        }

        value = (byte)sum;
        return sum is > 0 and <= byte.MaxValue;
    }

    private static bool HasOption(ReadOnlySpan<byte> options, ReadOnlySpan<byte> wanted)
    {
        foreach (Range part in options.Split((byte)','))
        {
            if (options[part].SequenceEqual(wanted))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>One mount; the spans point into the line it was parsed from.</summary>
internal ref struct MountReading
{
    public ReadOnlySpan<byte> MountPoint;
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> Source;
    public bool IsReadOnly;
}
