using NodeAgent.Contracts.Series;

namespace NodeAgent.Tsdb;

/// <summary>Order of label sets that are sorted by name: label by label, the shorter first where one begins the other.</summary>
internal static class LabelOrder
{
    public static int Compare(ReadOnlySpan<Label> left, ReadOnlySpan<Label> right)
    {
        int shared = Math.Min(left.Length, right.Length);
        for (int i = 0; i < shared; i++)
        {
            int order = left[i].CompareTo(right[i]);
            if (order != 0)
            {
                return order;
            }
        }

        return left.Length.CompareTo(right.Length);
    }
}
