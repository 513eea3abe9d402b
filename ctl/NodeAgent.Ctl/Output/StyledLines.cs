using Spectre.Console;
using Spectre.Console.Rendering;

namespace NodeAgent.Ctl.Output;

/// <summary>Lines of toned text that Spectre writes as they are: laid out already, never wrapped.</summary>
internal sealed class StyledLines : Renderable
{
    private readonly List<List<Segment>> _lines = [];

    public int Count => _lines.Count;

    public void Add(params ReadOnlySpan<Cell> pieces)
    {
        List<Segment> line = new(pieces.Length);
        foreach (Cell piece in pieces)
        {
            if (piece.Text.Length > 0) line.Add(new Segment(piece.Text, Styles.Of(piece.Tone)));
        }

        _lines.Add(line);
    }

    public void AddLine(List<Segment> line) => _lines.Add(line);

    public void Append(StyledLines other) => _lines.AddRange(other._lines);

    /// <summary>At most <paramref name="count"/> lines from one on; fewer when there are no more.</summary>
    public StyledLines Slice(int from, int count)
    {
        StyledLines slice = new();
        slice._lines.AddRange(_lines.Skip(from).Take(count));
        return slice;
    }

    /// <summary>Keeps the first <paramref name="count"/> lines.</summary>
    public void Cut(int count)
    {
        if (_lines.Count > count) _lines.RemoveRange(count, _lines.Count - count);
    }

    /// <summary>The lines without colour, each without trailing blanks.</summary>
    public IEnumerable<string> PlainLines() => _lines.Select(line => string.Concat(line.Select(segment => segment.Text)).TrimEnd());

    protected override IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        foreach (List<Segment> line in _lines)
        {
            foreach (Segment segment in line) yield return segment;
            yield return Segment.LineBreak;
        }
    }
}
