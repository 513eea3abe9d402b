namespace NodeAgent.Ctl.Output;

/// <summary>One field of a table row as people see it.</summary>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Normal)
{
    public static readonly Cell None = new(Ctl.Text.Human.None, Tone.Dim);

    public static implicit operator Cell(string text) => text == Ctl.Text.Human.None ? None : new Cell(text);

    public static Cell FromText(string text) => text;
}
