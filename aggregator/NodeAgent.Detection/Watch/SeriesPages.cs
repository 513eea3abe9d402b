using NodeAgent.Detection.Lanes;
using NodeAgent.Detection.Shapes;

namespace NodeAgent.Detection.Watch;

/// <summary>A watched series: its page and its row there. Meaningless after it was removed.</summary>
public readonly record struct WatchedRow(int Page, int Row);

/// <summary>
/// Series that come and go: pages of rows, made as they are needed up to a bound of memory, rows reused. One array for all would be copied
/// each time it grows, or be as large as the bound from the start.
/// </summary>
public sealed class SeriesPages
{
    private const int Rows = 2048; // about two MiB a page: large enough to be few, small enough that a small fleet pays for one
    private const int ShapedRows = 512; // sensors and memory are a fifth of a node's series

    private readonly WatchOptions _options;
    private readonly Func<string, double>? _strictness;
    private readonly int _mostPages;
    private readonly List<SeriesWatch> _pages = [];
    private int _firstWithRoom;

    /// <param name="maxBytes">Bound of all state together; at least one page is made.</param>
    /// <param name="options">How to watch.</param>
    /// <param name="strictness">As <see cref="SeriesWatch.Strictness"/>.</param>
    public SeriesPages(long maxBytes, WatchOptions options, Func<string, double>? strictness = null)
    {
        (_options, _strictness) = (options, strictness);
        _mostPages = (int)Math.Clamp(maxBytes / PageBytes, 1, int.MaxValue / Rows);
    }

    /// <summary>Bytes of a page: lanes, shapes, and what stands beside them.</summary>
    public static long PageBytes => (Rows * (SeriesLanes.BytesPerSeries + 56L)) + (ShapedRows * (long)ShapeLane.BytesPerSeries);

    /// <summary>How many series are watched.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of the pages that were made.</summary>
    public long Bytes => _pages.Count * PageBytes;

    /// <summary>Registers a series. False: the bound is reached.</summary>
    public bool TryAdd(Subject subject, SeriesTraits traits, TimeSpan step, out WatchedRow watched)
    {
        while (_firstWithRoom < _pages.Count && _pages[_firstWithRoom].Count == Rows)
        {
            _firstWithRoom++;
        }

        if (_firstWithRoom == _pages.Count)
        {
            if (_pages.Count == _mostPages)
            {
                watched = new WatchedRow(-1, -1);
                return false;
            }

            _pages.Add(new SeriesWatch(Rows, ShapedRows, _options) { Strictness = _strictness });
        }

        watched = new WatchedRow(_firstWithRoom, _pages[_firstWithRoom].Add(subject, traits, step));
        Count++;
        return true;
    }

    /// <summary>As <see cref="SeriesLanes.Expect"/>; nothing for a row that is none.</summary>
    public void Expect(WatchedRow watched, long unixMs)
    {
        if (watched.Page >= 0)
        {
            _pages[watched.Page].Expect(watched.Row, unixMs);
        }
    }

    /// <summary>Judges a sample.</summary>
    public void Sample(WatchedRow watched, double value, long unixMs, ICollection<Finding> findings) => _pages[watched.Page].Sample(watched.Row, value, unixMs, findings);

    /// <summary>Forgets a series.</summary>
    public void Remove(WatchedRow watched, long unixMs, ICollection<Finding> findings)
    {
        _pages[watched.Page].Remove(watched.Row, unixMs, findings);
        _firstWithRoom = Math.Min(_firstWithRoom, watched.Page);
        Count--;
    }
}
