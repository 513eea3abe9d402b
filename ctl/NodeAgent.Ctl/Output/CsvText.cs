using System.Buffers;
using System.Globalization;
using System.Text;

namespace NodeAgent.Ctl.Output;

/// <summary>
/// Comma-separated values: fields are quoted as RFC 4180 says, when they hold a comma, a quote or a line break. Lines end with
/// a line feed only, because a carriage return would stick to the last field in every Unix tool.
/// <para>
/// Much of the text comes from hosts, and one of them may be hostile: a spreadsheet takes what begins with =, +, -, @, a tab or a carriage
/// return for a formula, and runs it. Such fields get a single quote in front (OWASP, CSV injection), unless they are numbers.
/// </para>
/// </summary>
internal static class CsvText
{
    private static readonly SearchValues<char> NeedQuotes = SearchValues.Create(",\"\r\n");

    public static string Header<T>(IReadOnlyList<Column<T>> columns) =>
        Line(columns.Where(column => !column.TableOnly).Select(column => column.Name));

    public static string Row<T>(IReadOnlyList<Column<T>> columns, T item) =>
        Line(columns.Where(column => !column.TableOnly).Select(column => column.Raw(item)));

    private static string Line(IEnumerable<string> fields)
    {
        StringBuilder line = new();
        foreach (string raw in fields)
        {
            string field = IsFormula(raw) ? "'" + raw : raw;
            if (field.AsSpan().ContainsAny(NeedQuotes)) line.Append('"').Append(field.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            else line.Append(field);
            line.Append(',');
        }

        if (line.Length > 0) line.Length--;
        return line.Append('\n').ToString();
    }

    private static bool IsFormula(string field) =>
        field.Length > 0 && field[0] is '=' or '+' or '-' or '@' or '\t' or '\r' && !double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out _);
}
