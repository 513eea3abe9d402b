namespace NodeAgent.Tsdb.Index;

/// <summary>
/// Ids of the series that carry one label pair, ascending. Ids grow, so adding is appending; whoever adds older ones sorts at the end. Guarded by the registration lock.
/// </summary>
internal sealed class PostingList
{
    private int[] _ids = new int[2];
    private int _count;
    private bool _isSorted = true;

    public int Count => _count;

    public ReadOnlySpan<int> Ids => _ids.AsSpan(0, _count);

    public void Add(int id)
    {
        if (_count == _ids.Length)
        {
            Array.Resize(ref _ids, _count * 2);
        }

        _isSorted &= _count == 0 || id > _ids[_count - 1];
        _ids[_count++] = id;
    }

    /// <summary>Restores the order after ids were added in another one: while a store opens, silent series come behind live ones.</summary>
    public void Sort()
    {
        if (!_isSorted)
        {
            _ids.AsSpan(0, _count).Sort();
            _isSorted = true;
        }
    }

    /// <summary>Removes the ids that are in the set.</summary>
    public void RemoveAll(HashSet<int> dead)
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (!dead.Contains(_ids[i]))
            {
                _ids[kept++] = _ids[i];
            }
        }

        _count = kept;
        if (_ids.Length > 8 && kept < _ids.Length / 4)
        {
            Array.Resize(ref _ids, Math.Max(2, kept));
        }
    }

    /// <summary>
    /// Writes the ids that are in both into <paramref name="into"/> (which may be <paramref name="left"/>); returns how many.
    /// </summary>
    public static int Intersect(ReadOnlySpan<int> left, ReadOnlySpan<int> right, Span<int> into)
    {
        int count = 0;
        int at = 0;
        foreach (int id in left)
        {
            at += Gallop(right[at..], id);
            if (at == right.Length)
            {
                break;
            }

            if (right[at] == id)
            {
                into[count++] = id;
                at++;
            }
        }

        return count;
    }

    /// <summary>
    /// Index of the first id that is not below the given one, by doubling steps: cheap for near ones, logarithmic for far ones.
    /// </summary>
    private static int Gallop(ReadOnlySpan<int> ids, int id)
    {
        int step = 1;
        while (step <= ids.Length && ids[step - 1] < id)
        {
            step <<= 1;
        }

        int low = step >> 1;
        int high = Math.Min(step, ids.Length);
        while (low < high)
        {
            int middle = (low + high) >> 1;
            if (ids[middle] < id)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}
