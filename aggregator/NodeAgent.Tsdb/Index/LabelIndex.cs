using NodeAgent.Contracts.Series;
using NodeAgent.Tsdb.Head;
using NodeAgent.Tsdb.Query;

namespace NodeAgent.Tsdb.Index;

/// <summary>
/// From label pairs to series: per label name the values, per value the ascending ids of the series that carry it; the metric is
/// the value of <c>__name__</c>. Also interns label texts, so that a thousand series share one "mode". Not thread-safe: the store
/// guards it with its registration lock.
/// </summary>
internal sealed class LabelIndex
{
    private readonly Dictionary<string, Dictionary<string, PostingList>> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<int, MemorySeries> _series = [];

    public int Count => _series.Count;

    /// <summary>Rough memory of the index and the series in it; kept while they come and go.</summary>
    public long EstimatedBytes { get; private set; }

    /// <summary>The one instance of a text.</summary>
    public string Intern(string text)
    {
        if (_texts.TryGetValue(text, out string? known))
        {
            return known;
        }

        _texts.Add(text, text);
        return text;
    }

    public void Add(MemorySeries series)
    {
        _series.Add(series.Id, series);
        EstimatedBytes += EstimateBytes(series);
        ListOf(SeriesInfo.NameLabel, series.Metric).Add(series.Id);
        foreach (ref readonly Label label in series.LabelSpan)
        {
            ListOf(label.Name, label.Value).Add(series.Id);
        }
    }

    /// <summary>To be called after series were added that are older than others.</summary>
    public void Sort()
    {
        foreach (Dictionary<string, PostingList> values in _names.Values)
        {
            foreach (PostingList list in values.Values)
            {
                list.Sort();
            }
        }
    }

    /// <summary>Removes series, each touched list once.</summary>
    public void Remove(IReadOnlyCollection<MemorySeries> dead)
    {
        HashSet<int> ids = [];
        HashSet<Label> touched = [];
        foreach (MemorySeries series in dead)
        {
            if (_series.Remove(series.Id))
            {
                EstimatedBytes -= EstimateBytes(series);
                ids.Add(series.Id);
                touched.Add(new Label(SeriesInfo.NameLabel, series.Metric));
                touched.UnionWith(series.Labels);
            }
        }

        foreach (Label pair in touched)
        {
            RemoveFrom(pair, ids);
        }
    }

    public MemorySeries? Find(int id) => _series.GetValueOrDefault(id);

    /// <summary>The series that match, by ascending id.</summary>
    public MemorySeries[] Select(Selector selector)
    {
        List<LabelMatcher> rest = [];
        int[]? ids = null;
        foreach (LabelMatcher matcher in selector.Matchers)
        {
            if (matcher.ListedValues is { } values && !matcher.MatchesEmpty)
            {
                int[] matching = Union(ListsOf(matcher.Name, values));
                ids = ids is null ? matching : ids[..PostingList.Intersect(ids, matching, ids)];
            }
            else
            {
                rest.Add(matcher);
            }
        }

        if (ids is null && rest.Find(matcher => !matcher.MatchesEmpty) is { } scanned)
        {
            rest.Remove(scanned);
            ids = Union(ListsMatching(scanned));
        }

        return Filter(ids ?? AllIds(), rest);
    }

    /// <summary>Each distinct value is matched once, however many series carry it: a pattern costs values, not series.</summary>
    private MemorySeries[] Filter(int[] ids, List<LabelMatcher> matchers)
    {
        MemorySeries[] found = new MemorySeries[ids.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            found[i] = _series[ids[i]];
        }

        int count = found.Length;
        foreach (LabelMatcher matcher in matchers)
        {
            Dictionary<string, bool> verdicts = new(StringComparer.Ordinal);
            int kept = 0;
            for (int i = 0; i < count; i++)
            {
                string value = found[i].LabelValue(matcher.Name);
                if (!verdicts.TryGetValue(value, out bool matches))
                {
                    matches = matcher.Matches(value);
                    verdicts.Add(value, matches);
                }

                if (matches)
                {
                    found[kept++] = found[i];
                }
            }

            count = kept;
        }

        return found[..count];
    }

    private int[] AllIds()
    {
        int[] ids = [.. _series.Keys];
        Array.Sort(ids);
        return ids;
    }

    private static int[] Union(List<PostingList> lists)
    {
        if (lists.Count == 1)
        {
            return lists[0].Ids.ToArray();
        }

        // A series has one value per label, so the lists are disjoint: concatenating and sorting is the union.
        int total = 0;
        foreach (PostingList list in lists)
        {
            total += list.Count;
        }

        int[] ids = new int[total];
        int at = 0;
        foreach (PostingList list in lists)
        {
            list.Ids.CopyTo(ids.AsSpan(at));
            at += list.Count;
        }

        Array.Sort(ids);
        return ids;
    }

    private List<PostingList> ListsOf(string name, IReadOnlyList<string> values)
    {
        List<PostingList> lists = [];
        if (_names.TryGetValue(name, out Dictionary<string, PostingList>? known))
        {
            foreach (string value in values)
            {
                if (known.TryGetValue(value, out PostingList? list))
                {
                    lists.Add(list);
                }
            }
        }

        return lists;
    }

    private List<PostingList> ListsMatching(LabelMatcher matcher)
    {
        List<PostingList> lists = [];
        if (_names.TryGetValue(matcher.Name, out Dictionary<string, PostingList>? known))
        {
            foreach ((string value, PostingList list) in known)
            {
                if (matcher.Matches(value))
                {
                    lists.Add(list);
                }
            }
        }

        return lists;
    }

    private PostingList ListOf(string name, string value)
    {
        if (!_names.TryGetValue(name, out Dictionary<string, PostingList>? values))
        {
            values = new Dictionary<string, PostingList>(StringComparer.Ordinal);
            _names.Add(name, values);
        }

        if (!values.TryGetValue(value, out PostingList? list))
        {
            list = new PostingList();
            values.Add(value, list);
        }

        return list;
    }

    private void RemoveFrom(Label pair, HashSet<int> ids)
    {
        Dictionary<string, PostingList> values = _names[pair.Name];
        PostingList list = values[pair.Value];
        list.RemoveAll(ids);
        if (list.Count == 0)
        {
            values.Remove(pair.Value);
            _texts.Remove(pair.Value);
            if (values.Count == 0)
            {
                _names.Remove(pair.Name);
            }
        }
    }

    /// <summary>The object, its labels, its identity entry, and a place in each of its lists.</summary>
    private static long EstimateBytes(MemorySeries series) => 260 + (series.Labels.Count * 24);
}
