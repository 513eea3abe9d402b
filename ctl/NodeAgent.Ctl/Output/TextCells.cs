using System.Text;
using Spectre.Console.Rendering;

namespace NodeAgent.Ctl.Output;

/// <summary>Text measured in terminal cells: a CJK character takes two, a combining one none.</summary>
internal static class TextCells
{
    public static int Width(string text) => Ascii.IsValid(text) ? text.Length : new Segment(text).CellCount();

    /// <summary>The text itself when it fits, otherwise its beginning and "…".</summary>
    public static string Cut(string text, int width)
    {
        if (text.Length <= width && Width(text) <= width) return text;
        if (Width(text) <= width) return text;
        if (width <= 1) return width == 1 ? "…" : "";

        StringBuilder kept = new();
        int used = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            int cells = Width(rune.ToString());
            if (used + cells > width - 1) break;
            kept.Append(rune);
            used += cells;
        }

        return kept.Append('…').ToString();
    }
}
