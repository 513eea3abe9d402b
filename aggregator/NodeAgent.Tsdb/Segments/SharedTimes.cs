namespace NodeAgent.Tsdb.Segments;

/// <summary>
/// Where the times in a buffer come from, so that those of the next series, which mostly has the same rows, need not be copied and searched
/// again. Holds while all times come from chunks of time columns of which every row counts.
/// </summary>
internal sealed class SharedTimes
{
    private readonly List<(Stretch From, Range Range)> _known = [];
    private int _next; // of _known, since the last rewind
    private int _count; // of times that the known stretches make
    private int _before = -1; // as _count, when the buffer was cleared with everything known
    private bool _isWhole = true; // all times since the last rewind are known stretches

    /// <summary>The range of the newest stretch's rows.</summary>
    public (int First, int Count) Last { get; private set; }

    /// <summary>The buffer is empty; what lies behind its end is still what it was.</summary>
    public void Rewind()
    {
        if (!_isWhole)
        {
            _known.Clear();
        }
        else if (_next < _known.Count)
        {
            _known.RemoveRange(_next, _known.Count - _next);
        }

        _before = _isWhole ? _count : -1;
        _next = 0;
        _count = 0;
        _isWhole = true;
    }

    /// <summary>Times come from elsewhere, or move: nothing is known until the next rewind.</summary>
    public void Forget() => _isWhole = false;

    /// <summary>What lies behind the buffer's end is lost.</summary>
    public void ForgetAhead()
    {
        _before = -1;
        _known.RemoveRange(_next, _known.Count - _next);
    }

    /// <summary>Whether the times of a stretch are in their place already.</summary>
    public bool Next(in Stretch stretch)
    {
        if (_isWhole && _next < _known.Count && _known[_next].From == stretch)
        {
            Take(_known[_next].Range);
            _next++;
            return true;
        }

        _before = -1;
        if (_next < _known.Count)
        {
            _known.RemoveRange(_next, _known.Count - _next);
        }

        _known.Add((stretch, default));
        _next++;
        return false;
    }

    /// <summary>Which rows of the stretch that <see cref="Next"/> did not know are in the range.</summary>
    public void Note(Range range)
    {
        _known[^1] = (_known[^1].From, range);
        Take(range);
    }

    /// <summary>Whether so many times, all of them, are those from before.</summary>
    public bool AreAsBefore(int count) => _isWhole && _before == count && _count == count;

    private void Take(Range range)
    {
        int first = range.Start.Value;
        int count = Math.Max(0, range.End.Value - first);
        Last = (first, count);
        _count += count;
    }

    /// <summary>A chunk of times, the part of it that was wanted, and where it was put.</summary>
    internal readonly record struct Stretch(TimeColumn Column, int Chunk, long FromUnixMs, long ToUnixMs, int Position);
}
