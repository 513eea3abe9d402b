using System.Globalization;
using System.Text;
using NodeAgent.Sampling.Linux;

namespace NodeAgent.Sampling.Events;

/// <summary>
/// One record of /dev/kmsg: <c>priority,sequence,microseconds,flags[,more];text</c>, a newline, then lines of
/// <c> KEY=value</c>. Bytes that are not printable ASCII or UTF-8 come as \xNN.
/// </summary>
internal static class KernelRecordParser
{
    /// <summary>False where the record does not have that form. The text is not copied: see <see cref="Text"/>.</summary>
    public static bool TryParse(ReadOnlySpan<byte> record, out KernelRecord result)
    {
        result = default;
        int end = record.IndexOf((byte)';');
        if (end < 0)
        {
            return false;
        }

        Utf8Cursor prefix = new(record[..end]);
        if (!prefix.TryReadUInt64(out ulong priority) || !prefix.TrySkip(","u8) || !prefix.TryReadUInt64(out ulong sequence)
            || !prefix.TrySkip(","u8) || !prefix.TryReadUInt64(out ulong microseconds))
        {
            return false;
        }

        ReadOnlySpan<byte> body = record[(end + 1)..];
        int newline = body.IndexOf((byte)'\n');
        result = new KernelRecord
        {
            Level = (int)(priority & 7),
            IsFromKernel = priority >> 3 == 0,
            Sequence = sequence,
            Microseconds = microseconds,
            EscapedText = newline < 0 ? body : body[..newline],
        };
        return true;
    }

    /// <summary>The message with its escapes undone; bytes that are no UTF-8 become the replacement character.</summary>
    public static string Text(ReadOnlySpan<byte> escaped)
    {
        if (!escaped.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(escaped);
        }

        byte[] bytes = new byte[escaped.Length];
        int length = 0;
        for (int i = 0; i < escaped.Length; i++)
        {
            if (i + 3 < escaped.Length && escaped[i] == '\\' && escaped[i + 1] == 'x'
                && byte.TryParse(escaped.Slice(i + 2, 2), NumberStyles.AllowHexSpecifier, null, out byte value))
            {
                bytes[length++] = value;
                i += 3;
            }
            else
            {
                bytes[length++] = escaped[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}

/// <summary>One kernel log record; the span points into what was parsed.</summary>
internal ref struct KernelRecord
{
    /// <summary>0 (emergency) to 7 (debug), syslog(3).</summary>
    public int Level;

    /// <summary>
    /// The kernel wrote it, not a process through /dev/kmsg: the kernel sets facility 1 or above on those, so a process cannot
    /// make up a hardware error.
    /// </summary>
    public bool IsFromKernel;

    public ulong Sequence;

    /// <summary>Since boot, without suspend.</summary>
    public ulong Microseconds;

    public ReadOnlySpan<byte> EscapedText;
}
