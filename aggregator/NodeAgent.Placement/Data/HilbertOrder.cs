namespace NodeAgent.Placement.Data;

/// <summary>
/// The Hilbert curve: numbers near each other are near each other in space. For keys with ranges (a time and a series, a row and a shard)
/// and for numbering nodes of a grid, as Slurm does for tori; not for balance.
/// </summary>
public static class HilbertOrder
{
    /// <summary>Position on the curve through a grid of 2^order by 2^order cells.</summary>
    public static long Position(int order, int x, int y)
    {
        long position = 0;
        for (int half = 1 << (order - 1); half > 0; half >>= 1)
        {
            int right = (x & half) > 0 ? 1 : 0;
            int top = (y & half) > 0 ? 1 : 0;
            position += (long)half * half * ((3 * right) ^ top);
            (x, y) = Turn(1 << order, x, y, right, top);
        }

        return position;
    }

    /// <summary>The cell at a position.</summary>
    public static (int X, int Y) Cell(int order, long position)
    {
        (int x, int y) = (0, 0);
        for (int half = 1; half < 1 << order; half <<= 1)
        {
            int right = (int)(1 & (position / 2));
            int top = (int)(1 & (position ^ right));
            (x, y) = Turn(half, x, y, right, top);
            x += half * right;
            y += half * top;
            position /= 4;
        }

        return (x, y);
    }

    private static (int X, int Y) Turn(int size, int x, int y, int right, int top)
    {
        if (top == 1)
        {
            return (x, y);
        }

        return right == 1 ? (size - 1 - y, size - 1 - x) : (y, x);
    }
}
