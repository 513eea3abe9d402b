using System.Text.Json;
using Spectre.Console;

namespace NodeAgent.Ctl.Output;

/// <summary>Writes listings to standard output in the form that <c>-o</c> asks for.</summary>
internal sealed class Printer(TextWriter output, OutputFormat format, bool colour, int width)
{
    public OutputFormat Format => format;

    /// <summary>Colour and cursor movement are allowed.</summary>
    public bool Colour => colour;

    /// <summary>Cells in a line; <see cref="int.MaxValue"/> when the output is no terminal.</summary>
    public int Width => width;

    /// <summary>True when a person reads: table or wide.</summary>
    public bool ForPeople => format is OutputFormat.Table or OutputFormat.Wide;

    public void List<T>(Listing<T> listing, IReadOnlyList<T> items, Action<Utf8JsonWriter>? about = null)
    {
        switch (format)
        {
            case OutputFormat.Json:
                output.Write(JsonText.List(listing.Kind, items, listing.Json, about));
                break;
            case OutputFormat.Jsonl:
                foreach (T item in items) output.Write(JsonText.Line(item, listing.Json));
                break;
            case OutputFormat.Csv:
                output.Write(CsvText.Header(listing.Columns));
                foreach (T item in items) output.Write(CsvText.Row(listing.Columns, item));
                break;
            default:
                if (items.Count == 0) output.WriteLine(listing.Empty);
                else Lines(TableView.Render(listing.Columns, items, format == OutputFormat.Wide, width));
                break;
        }
    }

    /// <summary>A document with one item. Table and wide are the caller's: a single thing is no table.</summary>
    public void Single<T>(Listing<T> listing, T item, Func<StyledLines> forPeople)
    {
        switch (format)
        {
            case OutputFormat.Json:
                output.Write(JsonText.Single(listing.Kind, item, listing.Json));
                break;
            case OutputFormat.Jsonl or OutputFormat.Csv:
                List(listing, [item]);
                break;
            default:
                Lines(forPeople());
                break;
        }
    }

    /// <summary>A stream of items, written and flushed one by one.</summary>
    public StreamPrinter<T> Stream<T>(Listing<T> listing) => new(this, output, listing);

    public void Lines(StyledLines lines)
    {
        if (colour) Console(output, width).Write(lines);
        else foreach (string line in lines.PlainLines()) output.WriteLine(line);
    }

    /// <summary>Spectre as a plain encoder of colours: no detection, no interaction, sixteen colours from the terminal's theme.</summary>
    internal static IAnsiConsole Console(TextWriter writer, int width)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(writer),
            Enrichment = new ProfileEnrichment { UseDefaultEnrichers = false },
        });
        console.Profile.Width = Math.Min(width, 10_000);
        return console;
    }
}
