namespace NodeAgent.Tsdb.Query.Evaluation;

/// <summary>Orders for topk and bottomk. Rows come in the order of their labels, so an index breaks ties by labels.</summary>
internal static class RankOrder
{
    /// <summary>The order in which candidates are given up.</summary>
    public static IComparer<(double Value, int Index)> WorstFirst(bool top) => Comparer<(double Value, int Index)>.Create((left, right) =>
    {
        int order = left.Value.CompareTo(right.Value);
        return order != 0 ? (top ? order : -order) : right.Index.CompareTo(left.Index);
    });

    /// <summary>Best first, for rows of one step.</summary>
    public static int Compare(ResultRow left, ResultRow right, bool top)
    {
        int order = left.Values[0].CompareTo(right.Values[0]);
        if (order != 0)
        {
            return top ? -order : order;
        }

        order = string.CompareOrdinal(left.Metric, right.Metric);
        return order != 0 ? order : LabelOrder.Compare([.. left.Labels], [.. right.Labels]);
    }
}
