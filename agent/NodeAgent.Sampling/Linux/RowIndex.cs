namespace NodeAgent.Sampling.Linux;

/// <summary>
/// Remembers which row of a kernel table fills which columns. Tables keep their order from tick to tick, so a row is first
/// compared with the one that came next last time, and searched by name only where that fails. A pass that meets an unknown
/// row, or misses a known one, says that devices came or went and the columns must be built again.
/// </summary>
/// <param name="capacity">Most rows kept; a table may not grow the agent without bound.</param>
internal sealed class RowIndex(int capacity)
{
    private Row[] _rows = [];
    private int _count;
    private int _next;
    private int _pass;
    private int _seen;

    public int Count => _count;

    /// <summary>Rows were refused for lack of room since <see cref="Clear"/>.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Starts at the first row.</summary>
    public void BeginPass()
    {
        _next = 0;
        _seen = 0;
        _pass++;
    }

    /// <summary>All known rows were met since <see cref="BeginPass"/>.</summary>
    public bool SawAll => _seen == _count;

    /// <summary>Finds what <see cref="TryAdd"/> stored for a name. False: a row not seen before.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out int column) => TryFind(name, default, out column);

    /// <summary>As the other overload, for names of two parts.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, ReadOnlySpan<byte> part, out int column)
    {
        for (int tries = 0; tries < _count; tries++)
        {
            if (_next >= _count)
            {
                _next = 0;
            }

            ref Row row = ref _rows[_next++];
            if (name.SequenceEqual(row.Name) && part.SequenceEqual(row.Part))
            {
                if (row.Pass != _pass)
                {
                    row.Pass = _pass;
                    _seen++;
                }

                column = row.Column;
                return true;
            }
        }

        column = -1;
        return IsFull; // a full index knows nothing about the rest of the table, and must not ask to be built again for it
    }

    /// <summary>Stores a row that was not found. False where there is no room.</summary>
    public bool TryAdd(ReadOnlySpan<byte> name, int column) => TryAdd(name, default, column);

    /// <summary>As the other overload, for names of two parts.</summary>
    public bool TryAdd(ReadOnlySpan<byte> name, ReadOnlySpan<byte> part, int column)
    {
        if (_count >= capacity)
        {
            IsFull = true;
            return false;
        }

        if (_count == _rows.Length)
        {
            Array.Resize(ref _rows, Math.Max(16, _rows.Length * 2));
        }

        _rows[_count++] = new Row { Name = name.ToArray(), Part = part.ToArray(), Column = column };
        return true;
    }

    public void Clear()
    {
        _count = 0;
        _next = 0;
        _seen = 0;
        IsFull = false;
    }

    private struct Row
    {
        public byte[] Name;
        public byte[] Part;
        public int Column;
        public int Pass;
    }
}
