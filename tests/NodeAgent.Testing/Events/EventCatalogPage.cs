using System.Text;
using NodeAgent.Hosting.Logs;

namespace NodeAgent.Testing.Events;

/// <summary>Renders docs/events.md.</summary>
public static class EventCatalogPage
{
    /// <summary>
    /// The body of the page: per range, one table of all events, then what to do about each Warning and worse, under an anchor with the
    /// event's name, so that an alert can link to it.
    /// </summary>
    public static string Render(IEnumerable<EventDescription> events)
    {
        StringBuilder page = new();
        foreach (IGrouping<EventIdRange, EventDescription> range in events.OrderBy(one => one.Id)
            .GroupBy(one => EventIdRange.Of(one.Id) ?? throw new InvalidOperationException($"{one.Declared}: id {one.Id} is in no range")))
        {
            page.Append($"{(page.Length == 0 ? "" : "\n")}## {Capitalised(range.Key.Owner)} ({range.Key.First} to {range.Key.Last})\n\n");
            page.Append("| id | event | level | message |\n|---|---|---|---|\n");
            foreach (EventDescription one in range)
            {
                string name = one.Meaning is null ? one.Name : $"[{one.Name}](#{one.Name.ToLowerInvariant()})";
                page.Append($"| {one.Id} | {name} | {LogLevelNames.Of(one.Level)} | {Cell(one.Message)} |\n");
            }

            foreach (EventDescription one in range.Where(one => one.Meaning is not null))
            {
                page.Append($"\n### {one.Name}\n\n`id={one.Id}` `level={LogLevelNames.Of(one.Level)}`\n\n");
                page.Append($"- **Meaning:** {one.Meaning}\n- **Likely cause:** {one.Cause}\n- **What to do:** {one.Action}\n");
            }
        }

        return page.ToString();
    }

    private static string Capitalised(string phrase) => char.ToUpperInvariant(phrase[0]) + phrase[1..];

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
