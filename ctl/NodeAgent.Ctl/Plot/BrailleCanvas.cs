namespace NodeAgent.Ctl.Plot;

/// <summary>
/// A grid of dots, two by four in each character (Unicode braille patterns, U+2800). Each character remembers who drew on it
/// last, so that lines can have colours of their own.
/// </summary>
internal sealed class BrailleCanvas(int columns, int rows)
{
    // Bit of each dot in a pattern: [row][column], from the Unicode standard's numbering of the dots.
    private static readonly byte[,] Bits = { { 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 } };

    private readonly byte[] _cells = new byte[columns * rows];
    private readonly int[] _owners = new int[columns * rows];

    public int DotWidth => columns * 2;

    public int DotHeight => rows * 4;

    /// <summary>Sets a dot; (0, 0) is the upper left one. Outside is ignored.</summary>
    public void Dot(int x, int y, int owner)
    {
        if (x < 0 || y < 0 || x >= DotWidth || y >= DotHeight) return;
        int cell = (y / 4 * columns) + (x / 2);
        _cells[cell] |= Bits[y % 4, x % 2];
        _owners[cell] = owner;
    }

    /// <summary>A straight line between two dots, both included (Bresenham).</summary>
    public void Line(int x0, int y0, int x1, int y1, int owner)
    {
        int dx = Math.Abs(x1 - x0);
        int dy = -Math.Abs(y1 - y0);
        int stepX = x0 < x1 ? 1 : -1;
        int stepY = y0 < y1 ? 1 : -1;
        int error = dx + dy;
        while (true)
        {
            Dot(x0, y0, owner);
            if (x0 == x1 && y0 == y1) return;
            int doubled = 2 * error;
            if (doubled >= dy)
            {
                error += dy;
                x0 += stepX;
            }

            if (doubled <= dx)
            {
                error += dx;
                y0 += stepY;
            }
        }
    }

    /// <summary>The character at a place; blank where nothing was drawn.</summary>
    public char CharacterAt(int column, int row)
    {
        byte pattern = _cells[(row * columns) + column];
        return pattern == 0 ? ' ' : (char)(0x2800 + pattern);
    }

    /// <summary>Who drew there last; meaningless where nothing was drawn.</summary>
    public int OwnerAt(int column, int row) => _owners[(row * columns) + column];
}
