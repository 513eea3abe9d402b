namespace NodeAgent.Ctl.Output;

/// <summary>Name and value, one a line, the values aligned; prose that is too long goes on below its beginning.</summary>
internal sealed class Facts(int width)
{
    private readonly List<(string Name, Cell Value, string More)> _facts = [];

    /// <param name="value">The fact, in its tone.</param>
    /// <param name="more">What follows it in plain text, with its own comma or blank.</param>
    public void Add(string name, Cell value, string more = "") => _facts.Add((name, TableView.Clean(value), Text.Printable.Of(more)));

    public StyledLines Render()
    {
        StyledLines lines = new();
        int names = _facts.Count == 0 ? 0 : _facts.Max(fact => fact.Name.Length) + TableLayout.Gap;
        foreach ((string name, Cell value, string more) in _facts)
        {
            List<string> wrapped = Prose.Wrap(value.Text + more, width == int.MaxValue ? width : width - names);
            // The tone belongs to the value; where it breaks in the middle, its first line keeps it.
            int toned = Math.Min(value.Text.Length, wrapped[0].Length);
            lines.Add(new Cell(name.PadRight(names), Tone.Dim), value with { Text = wrapped[0][..toned] }, wrapped[0][toned..]);
            foreach (string line in wrapped.Skip(1)) lines.Add(new string(' ', names), line);
        }

        return lines;
    }
}
