namespace NodeAgent.Contracts.Series;

/// <summary>One label of a series.</summary>
public readonly record struct Label(string Name, string Value) : IComparable<Label>
{
    /// <summary>By name, then by value, both ordinal: the order in which a series carries its labels.</summary>
    public int CompareTo(Label other)
    {
        int byName = string.CompareOrdinal(Name, other.Name);
        return byName != 0 ? byName : string.CompareOrdinal(Value, other.Value);
    }

    public static bool operator <(Label left, Label right) => left.CompareTo(right) < 0;

    public static bool operator >(Label left, Label right) => left.CompareTo(right) > 0;

    public static bool operator <=(Label left, Label right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Label left, Label right) => left.CompareTo(right) >= 0;
}
