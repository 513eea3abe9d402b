namespace NodeAgent.Ctl.Output;

/// <summary>What a piece of text means; the colour follows from it. Colour never says anything that the words do not.</summary>
internal enum Tone
{
    Normal,
    Good,
    Warn,
    Bad,
    Dim,
    Strong,
    Accent,
    Header,

    /// <summary>The header of the column that orders the table.</summary>
    Sorted,
}
