namespace NodeAgent.Ctl.Output;

/// <summary>Name and value, one a line, the values aligned.</summary>
internal sealed class Facts
{
    private readonly List<(string Name, Cell[] Value)> _facts = [];

    public void Add(string name, Cell value, string more = "") => _facts.Add((name, [value, more]));

    public StyledLines Render()
    {
        StyledLines lines = new();
        int width = _facts.Count == 0 ? 0 : _facts.Max(fact => fact.Name.Length);
        foreach ((string name, Cell[] value) in _facts)
        {
            lines.Add([new Cell(name.PadRight(width + TableLayout.Gap), Tone.Dim), .. value.Select(TableView.Clean)]);
        }

        return lines;
    }
}
