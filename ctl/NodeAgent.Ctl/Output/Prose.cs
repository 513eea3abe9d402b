namespace NodeAgent.Ctl.Output;

/// <summary>Sentences, as opposed to rows: they break at blanks.</summary>
internal static class Prose
{
    // Narrower than this, words stand alone and nobody can read them; rather let the terminal break.
    private const int Narrowest = 20;

    /// <summary>At least one line, each at most <paramref name="width"/> cells; a longer word (a path) is broken where the line ends.</summary>
    public static List<string> Wrap(string text, int width)
    {
        width = Math.Max(Narrowest, width);
        List<string> lines = [];
        string line = "";
        foreach (string word in text.Split(' ').SelectMany(word => word.Length <= width ? [word] : word.Chunk(width).Select(part => new string(part))))
        {
            if (line.Length > 0 && TextCells.Width(line) + 1 + TextCells.Width(word) > width)
            {
                lines.Add(line);
                line = "";
            }

            line = line.Length == 0 ? word : line + " " + word;
        }

        lines.Add(line);
        return lines;
    }
}
