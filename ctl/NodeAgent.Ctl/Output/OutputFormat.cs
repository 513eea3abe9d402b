namespace NodeAgent.Ctl.Output;

/// <summary>The forms of <c>-o</c>.</summary>
internal enum OutputFormat
{
    /// <summary>For people: human units, fitted to the terminal.</summary>
    Table,

    /// <summary>Every column with raw values, as wide as it gets.</summary>
    Wide,

    /// <summary>One document: <c>{"apiVersion":…,"kind":…,"items":[…]}</c>; a live stream has no end and prints <see cref="Jsonl"/>.</summary>
    Json,

    /// <summary>One item a line.</summary>
    Jsonl,

    /// <summary>Header and RFC 4180 rows, raw values.</summary>
    Csv,
}
