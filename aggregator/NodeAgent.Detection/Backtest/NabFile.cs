using System.Globalization;
using System.Text.Json;

namespace NodeAgent.Detection.Backtest;

/// <summary>One labelled series in the format of the Numenta Anomaly Benchmark (numenta/NAB, MIT): <c>timestamp,value</c> and windows.</summary>
public sealed class NabFile
{
    private const double Probation = 0.15; // of the rows, but of no more than 5,000 of them: NAB, sweeper.py
    private const int ProbationRows = 5000;

    /// <param name="name">Folder and file, as in the windows file.</param>
    /// <param name="unixMs">When each value was taken; rises.</param>
    /// <param name="values">One a row.</param>
    /// <param name="windows">First and last row of each anomaly window, in order.</param>
    public NabFile(string name, long[] unixMs, double[] values, (int First, int Last)[] windows)
    {
        (Name, UnixMs, Values, Windows) = (name, unixMs, values, windows);
        ProbationEnd = (int)Math.Ceiling(Math.Min(Math.Floor(Probation * values.Length), Probation * ProbationRows));
    }

    /// <summary>Folder and file.</summary>
    public string Name { get; }

    /// <summary>One a row.</summary>
    public long[] UnixMs { get; }

    /// <summary>One a row.</summary>
    public double[] Values { get; }

    /// <summary>First and last row of each anomaly window.</summary>
    public (int First, int Last)[] Windows { get; }

    /// <summary>Rows before this one are not scored. The scorer knows it; a detector must not, for it follows from the file's length.</summary>
    public int ProbationEnd { get; }

    /// <summary>Reads every series that the windows file names.</summary>
    /// <param name="folder">Where the series lie.</param>
    /// <param name="windowsFile">JSON: name of a series to a list of [first, last] timestamps.</param>
    public static NabFile[] ReadAll(string folder, string windowsFile)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllText(windowsFile));
        return [.. document.RootElement.EnumerateObject().OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => Read(folder, entry))];
    }

    private static NabFile Read(string folder, JsonProperty entry)
    {
        string[] lines = File.ReadAllLines(Path.Combine(folder, entry.Name));
        var unixMs = new List<long>(lines.Length);
        var values = new List<double>(lines.Length);
        foreach (string line in lines.Skip(1).Where(line => line.Length > 0))
        {
            int comma = line.IndexOf(',', StringComparison.Ordinal);
            unixMs.Add(UnixMsOf(line[..comma]));
            values.Add(double.Parse(line.AsSpan(comma + 1), CultureInfo.InvariantCulture));
        }

        (int, int)[] windows = [.. entry.Value.EnumerateArray().Select(window => (RowOf(window[0].GetString()!), RowOf(window[1].GetString()!)))];
        return new NabFile(entry.Name, [.. unixMs], [.. values], windows);

        int RowOf(string timestamp)
        {
            int row = unixMs.IndexOf(UnixMsOf(timestamp));
            return row >= 0 ? row : throw new InvalidDataException($"{entry.Name}: no row at {timestamp}, where a window begins or ends");
        }
    }

    private static long UnixMsOf(string text) =>
        DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal).ToUnixTimeMilliseconds();
}
