using System.Globalization;
using System.IO.Compression;
using NodeAgent.Detection.Backtest;

namespace NodeAgent.Benchmarks.Detection;

/// <summary>One machine of SMD (a row a minute) or ASD (a row every five minutes).</summary>
internal sealed class SmdMachine
{
    private const long Start = 1_700_006_400_000; // midnight; the sets have no timestamps, and only the phase of the day would matter

    private SmdMachine(string folder, string name)
    {
        Name = name;
        IsAsd = name.StartsWith("omi", StringComparison.Ordinal);
        StepMs = IsAsd ? 300_000 : 60_000;
        Test = ReadRows(Path.Combine(folder, name + ".test.csv.gz"));
        Train = IsAsd ? ReadRows(Path.Combine(folder, name + ".train.csv.gz")) : [];
        Labels = [.. ReadLines(Path.Combine(folder, name + ".labels.txt.gz")).Select(line => line.Trim() == "1")];
        Period = VolumeUnderSurface.PeriodOf([.. Test.Select(row => (double)row[0])]);
    }

    internal string Name { get; }

    internal bool IsAsd { get; }

    internal long StepMs { get; }

    internal float[][] Test { get; }

    /// <summary>ASD's history, which warms a detector up; SMD starts cold, its history is of another distribution.</summary>
    internal float[][] Train { get; }

    internal bool[] Labels { get; }

    internal int Period { get; }

    internal int Metrics => Test[0].Length;

    /// <summary>Rows of a day.</summary>
    internal int Day => (int)(86_400_000 / StepMs);

    internal long TimeOf(int row) => Start + (row * StepMs);

    internal static SmdMachine[] ReadAll(string folder, string[] only) =>
        [.. Directory.GetFiles(folder, "*.test.csv.gz").Select(path => Path.GetFileName(path)[..^".test.csv.gz".Length])
            .Where(name => only.Length == 0 || only.Contains(name)).Order(StringComparer.Ordinal).Select(name => new SmdMachine(folder, name))];

    private static float[][] ReadRows(string path) => [.. ReadLines(path).Select(line => line.Split(',').Select(cell => float.Parse(cell, CultureInfo.InvariantCulture)).ToArray())];

    private static IEnumerable<string> ReadLines(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0)
            {
                yield return line;
            }
        }
    }
}
