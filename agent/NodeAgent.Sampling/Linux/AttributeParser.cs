using System.Buffers.Text;

namespace NodeAgent.Sampling.Linux;

/// <summary>The text of a sysfs attribute as a number.</summary>
internal static class AttributeParser
{
    /// <summary>False where the text has not the form, or the value is below the reading's minimum.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, AttributeReading reading, out double value)
    {
        value = 0;
        Utf8Cursor cursor = new(text);
        switch (reading.Form)
        {
            case AttributeForm.Integer when cursor.TryReadUInt64(out ulong unsigned):
                value = unsigned;
                break;
            case AttributeForm.Integer when cursor.TryReadInt64(out long signed):
                value = signed;
                break;
            case AttributeForm.Fraction when cursor.TryReadDecimal(out double fraction):
                value = fraction;
                break;
            case AttributeForm.Hexadecimal when cursor.TrySkip("0x"u8) && Utf8Parser.TryParse(cursor.Rest, out ulong hex, out _, 'x'):
                value = hex;
                break;
            case AttributeForm.IsUp when !text.IsEmpty:
                value = text.SequenceEqual("up"u8) ? 1 : 0;
                break;
            default:
                return false;
        }

        if (value < reading.Minimum)
        {
            return false;
        }

        value = Convert(value, reading);
        return true;
    }

    /// <summary>A raw value in the metric's unit.</summary>
    public static double Convert(double raw, AttributeReading reading) => raw * reading.Multiplier / reading.Divisor;

    /// <summary>Whether a text that could not be parsed looks like a number gone wrong, rather than words such as "N/A (no PMA)".</summary>
    public static bool IsNumeric(ReadOnlySpan<byte> text) =>
        text.Length > 19 && text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
}
