using Spectre.Console;

namespace NodeAgent.Ctl.Output;

/// <summary>One colour for each <see cref="Tone"/>, from the sixteen that a terminal's own theme defines.</summary>
internal static class Styles
{
    public static Style Of(Tone tone) => tone switch
    {
        Tone.Good => GoodStyle,
        Tone.Warn => WarnStyle,
        Tone.Bad => BadStyle,
        Tone.Dim => DimStyle,
        Tone.Strong => StrongStyle,
        Tone.Accent => AccentStyle,
        Tone.Header => HeaderStyle,
        Tone.Sorted => SortedStyle,
        _ => Style.Plain,
    };

    private static readonly Style GoodStyle = new(Color.Green);
    private static readonly Style WarnStyle = new(Color.Olive);
    private static readonly Style BadStyle = new(Color.Maroon, decoration: Decoration.Bold);
    private static readonly Style DimStyle = new(decoration: Decoration.Dim);
    private static readonly Style StrongStyle = new(decoration: Decoration.Bold);
    private static readonly Style AccentStyle = new(Color.Teal);
    private static readonly Style HeaderStyle = new(decoration: Decoration.Dim);
    private static readonly Style SortedStyle = new(decoration: Decoration.Bold | Decoration.Underline);
}
