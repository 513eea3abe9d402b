using System.Text;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Memory;

/// <summary>Parses /proc/swaps: "Filename Type Size Used Priority", sizes in KiB.</summary>
internal static class SwapParser
{
    /// <summary>MAX_SWAPFILES is 32 at most (include/linux/swap.h).</summary>
    public const int MaxSwaps = 32;

    /// <summary>Takes the next device. False at the end and at a line of another form, which is left unread.</summary>
    public static bool TryReadLine(ref Utf8Cursor cursor, out ReadOnlySpan<byte> device, out ulong sizeBytes, out ulong usedBytes)
    {
        sizeBytes = usedBytes = 0;
        if (cursor.TryReadField(out device) && cursor.TryReadField(out _) &&
            cursor.TryReadUInt64(out ulong size) && cursor.TryReadUInt64(out ulong used) && cursor.TryReadInt64(out _) &&
            cursor.TrySkip("\n"u8) && size <= ulong.MaxValue / 1024 && used <= ulong.MaxValue / 1024)
        {
            sizeBytes = size * 1024;
            usedBytes = used * 1024;
            return true;
        }

        return false;
    }

    /// <summary>The kernel writes blank, tab, newline and backslash as \040 and so on (seq_file_path).</summary>
    public static string Unescape(ReadOnlySpan<byte> device)
    {
        byte[] plain = new byte[device.Length];
        int length = 0;
        for (int i = 0; i < device.Length; i++)
        {
            if (device[i] == (byte)'\\' && i + 3 < device.Length &&
                IsOctal(device[i + 1]) && IsOctal(device[i + 2]) && IsOctal(device[i + 3]))
            {
                plain[length++] = (byte)(((device[i + 1] - '0') << 6) | ((device[i + 2] - '0') << 3) | (device[i + 3] - '0'));
                i += 3;
            }
            else
            {
                plain[length++] = device[i];
            }
        }

        return Encoding.UTF8.GetString(plain, 0, length);
    }

    private static bool IsOctal(byte digit) => digit is >= (byte)'0' and <= (byte)'7';
}
