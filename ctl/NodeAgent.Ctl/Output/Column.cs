namespace NodeAgent.Ctl.Output;

/// <summary>One column of a listing: how people see it (<see cref="Human"/>) and how programs do (<see cref="Raw"/>).</summary>
/// <param name="Header">Table header, upper case.</param>
/// <param name="Name">CSV header: the field's name in the JSON form.</param>
/// <param name="Human">What a table shows.</param>
/// <param name="Raw">What <c>wide</c> and <c>csv</c> show: no unit, no rounding. Empty: no value.</param>
internal sealed record Column<T>(string Header, string Name, Func<T, Cell> Human, Func<T, string> Raw)
{
    /// <summary>Numbers are read from the right.</summary>
    public bool RightAligned { get; init; }

    /// <summary>0 stays; when a table is too wide, the column with the largest number goes first.</summary>
    public int DropOrder { get; init; }

    /// <summary>Only in <c>wide</c> and <c>csv</c>.</summary>
    public bool WideOnly { get; init; }

    /// <summary>Not in <c>wide</c> and <c>csv</c>: a bar or a sparkline has no raw form.</summary>
    public bool TableOnly { get; init; }

    /// <summary>May be cut with "…" down to this width. 0: never cut.</summary>
    public int ShrinkTo { get; init; }

    /// <summary>Draws into the width that is left over, between <see cref="FillFrom"/> and <see cref="FillTo"/>; used instead of <see cref="Human"/>.</summary>
    public Func<T, int, Cell>? Fill { get; init; }

    public int FillFrom { get; init; }

    public int FillTo { get; init; }

    /// <summary>Width that a stream starts with, before it has seen its rows. 0: the header's.</summary>
    public int StreamWidth { get; init; }

    /// <summary>The table is ordered by this column.</summary>
    public bool Sorted { get; init; }
}
