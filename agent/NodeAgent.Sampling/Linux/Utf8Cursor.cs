using System.Runtime.CompilerServices;

namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Walks kernel text as UTF-8 bytes without allocating: lines, fields separated by blanks, unsigned and signed decimals.
/// Every member is total: hostile or truncated text yields false, never an exception or an endless loop.
/// </summary>
public ref struct Utf8Cursor(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>What has not been consumed.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Takes the next line, without its newline. False at the end.</summary>
    public bool TryReadLine(out ReadOnlySpan<byte> line)
    {
        if (_rest.IsEmpty)
        {
            line = default;
            return false;
        }

        int end = _rest.IndexOf((byte)'\n');
        if (end < 0)
        {
            line = _rest;
            _rest = default;
        }
        else
        {
            line = _rest[..end];
            _rest = _rest[(end + 1)..];
        }

        return true;
    }

    /// <summary>Takes the next run of bytes that are neither blank nor newline. False where the line or text ends.</summary>
    public bool TryReadField(out ReadOnlySpan<byte> field)
    {
        SkipBlanks();
        int length = 0;
        while (length < _rest.Length && _rest[length] > (byte)' ')
        {
            length++;
        }

        field = _rest[..length];
        _rest = _rest[length..];
        return length > 0;
    }

    /// <summary>Takes an unsigned decimal. False, consuming only blanks, where there is none or it exceeds 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadUInt64(out ulong value)
    {
        SkipBlanks();
        value = 0;
        int i = 0;
        while (i < _rest.Length)
        {
            uint digit = (uint)(_rest[i] - '0');
            if (digit > 9)
            {
                break;
            }

            if (i >= 19 && (i > 19 || value > (ulong.MaxValue - digit) / 10))
            {
                value = 0;
                return false;
            }

            value = (value * 10) + digit;
            i++;
        }

        if (i == 0)
        {
            return false;
        }

        _rest = _rest[i..];
        return true;
    }

    /// <summary>Takes a decimal with an optional minus. False, consuming only blanks, where there is none or it exceeds 63 bits.</summary>
    public bool TryReadInt64(out long value)
    {
        SkipBlanks();
        ReadOnlySpan<byte> start = _rest;
        bool negative = !_rest.IsEmpty && _rest[0] == (byte)'-';
        if (negative)
        {
            _rest = _rest[1..];
        }

        if ((_rest.IsEmpty || _rest[0] > (byte)' ') && TryReadUInt64(out ulong magnitude) && magnitude <= long.MaxValue)
        {
            value = negative ? -(long)magnitude : (long)magnitude;
            return true;
        }

        _rest = start;
        value = 0;
        return false;
    }

    /// <summary>Takes a decimal fraction such as 0.25 or 17; no exponent. False, consuming only blanks, where there is none.</summary>
    public bool TryReadDecimal(out double value)
    {
        SkipBlanks();
        if (System.Buffers.Text.Utf8Parser.TryParse(_rest, out value, out int consumed, 'F') && double.IsFinite(value))
        {
            _rest = _rest[consumed..];
            return true;
        }

        value = 0;
        return false;
    }

    /// <summary>Takes the given bytes where the text goes on with them.</summary>
    public bool TrySkip(ReadOnlySpan<byte> expected)
    {
        if (!_rest.StartsWith(expected))
        {
            return false;
        }

        _rest = _rest[expected.Length..];
        return true;
    }

    /// <summary>Skips the rest of this line and its newline.</summary>
    public void SkipLine()
    {
        int end = _rest.IndexOf((byte)'\n');
        _rest = end < 0 ? default : _rest[(end + 1)..];
    }

    /// <summary>Skips spaces and tabs, not newlines.</summary>
    public void SkipBlanks()
    {
        int i = 0;
        while (i < _rest.Length && (_rest[i] == (byte)' ' || _rest[i] == (byte)'\t'))
        {
            i++;
        }

        _rest = _rest[i..];
    }
}
