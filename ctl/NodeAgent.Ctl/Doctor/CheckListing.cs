using NodeAgent.Ctl.Output;
using NodeAgent.Ctl.Views;

namespace NodeAgent.Ctl.Doctor;

/// <summary>How the checks are shown.</summary>
internal static class CheckListing
{
    public static readonly Listing<CheckItem> Checks = new(
        "CheckList",
        [
            new("RESULT", "outcome", check => new Cell(check.Outcome, ToneOf(check.Outcome)), check => check.Outcome),
            new("CHECK", "name", check => check.Name, check => check.Name),
            new("DETAIL", "detail", check => check.Detail, check => check.Detail),
            new("FIX", "fix", check => check.Fix ?? "", check => check.Fix ?? ""),
        ],
        CtlJson.Default.CheckItem,
        "no checks");

    /// <summary>One line a check; the fix below it where one is needed. Long text wraps at words, because it is prose.</summary>
    public static StyledLines Render(IReadOnlyList<CheckItem> checks, int width)
    {
        StyledLines lines = new();
        int names = checks.Max(check => check.Name.Length);
        int indent = 4 + TableLayout.Gap + names + TableLayout.Gap;
        foreach (CheckItem check in checks)
        {
            List<string> detail = Prose.Wrap(Text.Printable.Of(check.Detail), width - indent);
            lines.Add(new Cell(check.Outcome.PadRight(4 + TableLayout.Gap), ToneOf(check.Outcome)), check.Name.PadRight(names + TableLayout.Gap), Shade(detail[0], check));
            foreach (string more in detail.Skip(1)) lines.Add(new string(' ', indent), Shade(more, check));
            if (check.Fix is null) continue;
            foreach (string fix in Prose.Wrap("-> " + check.Fix, width - indent)) lines.Add(new string(' ', indent), new Cell(fix, Tone.Accent));
        }

        return lines;
    }

    private static Cell Shade(string text, CheckItem check) => new(text, check.Outcome == "skip" ? Tone.Dim : Tone.Normal);

    private static Tone ToneOf(string outcome) => outcome switch
    {
        "ok" => Tone.Good,
        "warn" => Tone.Warn,
        "fail" => Tone.Bad,
        _ => Tone.Dim,
    };
}
